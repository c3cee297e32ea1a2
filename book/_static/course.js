// A box that scrolls sideways must be reachable from the keyboard; one that does not should not be a
// stop on the way. Which is which depends on the width of the window.
const BOXES = "div.math, .pst-scrollable-table-container, .gm-figure, .bd-article pre";

function markScrollingBoxes() {
  for (const box of document.querySelectorAll(BOXES)) {
    if (box.scrollWidth > box.clientWidth + 1) {
      box.tabIndex = 0;
    } else {
      box.removeAttribute("tabindex");
    }
  }
}

window.addEventListener("resize", markScrollingBoxes);
window.addEventListener("load", () => {
  document.fonts.ready.then(markScrollingBoxes);  // fonts change every width
});
