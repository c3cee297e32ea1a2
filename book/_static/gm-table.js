// <gm-table>: folded tables, a field that looks for words in their rows, and a choice of one of them.
// Without this script the folds are all there.
(() => {
  if (customElements.get("gm-table")) return;
  const make = (name, attributes = {}, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };

  customElements.define("gm-table", class extends HTMLElement {
    connectedCallback() {
      if (this.field) return;
      this.folds = [...this.querySelectorAll("details[data-name]")];
      this.field = make("input", { type: "search", autocomplete: "off", spellcheck: "false" });
      this.choice = make("select", {}, make("option", { value: "" }, "all"),
        ...this.folds.map(({ dataset: { name } }) => make("option", { value: name }, name)));
      this.count = make("p", { role: "status" });
      this.prepend(make("div", { class: "gm-table-tools" },
        make("label", {}, "Words", this.field), make("label", {}, "Exercise", this.choice)), this.count);
      this.field.addEventListener("input", () => this.look());
      this.choice.addEventListener("change", () => this.look());
      this.look();
    }

    // The rows with their text, read when something is first looked for.
    rows(fold) {
      return fold.found ??= [...fold.querySelectorAll("tbody tr")].map((row) =>
        ({ row, text: row.textContent.toLowerCase() }));
    }

    look() {
      const words = this.field.value.toLowerCase().split(/\s+/).filter(Boolean), asked = words.length > 0;
      let found = 0, places = 0;
      for (const fold of this.folds) {
        const wanted = !this.choice.value || fold.dataset.name === this.choice.value;
        let here = Number(fold.dataset.count);
        if (wanted && (asked || fold.found)) {
          here = 0;
          for (const { row, text } of this.rows(fold)) {
            row.hidden = !words.every((word) => text.includes(word));
            here += !row.hidden;
          }
        }
        fold.hidden = !wanted || !here;
        fold.open = !fold.hidden && (asked || Boolean(this.choice.value));
        if (!fold.hidden) [found, places] = [found + here, places + 1];
      }
      this.count.textContent = found
        ? `${found.toLocaleString("en")} ${found === 1 ? "mistake" : "mistakes"} in ${places} ${places === 1 ? "exercise" : "exercises"}`
        : "No mistake has these words.";
    }
  });
})();
