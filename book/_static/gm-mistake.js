// <gm-mistake>: the style sheet shows the card of the chosen line; this tells it to a screen reader.
(() => {
  if (customElements.get("gm-mistake")) return;
  customElements.define("gm-mistake", class extends HTMLElement {
    connectedCallback() {
      this.addEventListener("change", ({ target }) => {
        this.querySelector("[role=status]").textContent = target.dataset.says;
      });
    }
  });
})();
