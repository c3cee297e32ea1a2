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

// Sphinx quotes a result from everything in a page's main part; leave out what stands around the text.
if (typeof Search !== "undefined") {
  const quote = Search.htmlToText;
  Search.htmlToText = (html, anchor) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    page.querySelectorAll(".bd-header-article, .bd-sidebar-secondary, #jb-print-docs-body, .gm-workplace, footer")
      .forEach((part) => part.remove());
    return quote(page.documentElement.outerHTML, anchor);
  };
}
