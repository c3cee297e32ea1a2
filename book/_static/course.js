// A box that scrolls sideways must be reachable from the keyboard; one that does not should not be a
// stop on the way. Which is which depends on the width of the window. Boxes are measured when they come
// near it, and all of them when a reader uses the keyboard: to measure all is to lay out the whole page.
const BOXES = "div.math, .pst-scrollable-table-container, .gm-figure, .bd-article pre, .cell_output > .output";
const near = new Set();

// All are read before any is changed, or each would be laid out anew.
function markScrollingBoxes(boxes) {
  const wide = boxes.map((box) => box.scrollWidth > box.clientWidth + 1);
  boxes.forEach((box, k) => {
    if (wide[k] && box.tabIndex !== 0) box.tabIndex = 0;
    else if (!wide[k]) box.removeAttribute("tabindex");
  });
}

const watch = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) isIntersecting ? near.add(target) : near.delete(target);
  markScrollingBoxes([...near]);
}, { rootMargin: "100%" });

window.addEventListener("load", () => {
  for (const box of document.querySelectorAll(BOXES)) watch.observe(box);
});
window.addEventListener("resize", () => markScrollingBoxes([...near]));
document.fonts.addEventListener("loadingdone", () => markScrollingBoxes([...near])); // fonts change every width
window.addEventListener("keydown", ({ key }) => key === "Tab" && markScrollingBoxes([...document.querySelectorAll(BOXES)]));
