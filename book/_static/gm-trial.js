// <gm-trial>: the table of claims with a choice of task and of verdict, and dots that can be asked.
// What a dot says stands in its <title>. One dot of each row is in the order of the tab key, the arrow
// keys lead to the others; the name of the dot in focus is what a screen reader says.
(() => {
  if (customElements.get("gm-trial")) return;
  const make = (name, attributes = {}, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };
  const WORDS = { holds: "holds", when: "holds when …", fails: "fails here", open: "not settled" };
  const HINT = "Point at a dot, tap it, or reach it with the keyboard: its runs and conditions appear here.";

  customElements.define("gm-trial", class extends HTMLElement {
    connectedCallback() {
      if (this.rows) return;
      this.rows = [...this.querySelectorAll("li[data-verdict]")].map((row) =>
        ({ row, dots: [...row.querySelectorAll("[data-task]")] }));
      const tasks = [...new Set(this.rows.flatMap(({ dots }) => dots.map((dot) => dot.dataset.task)))].sort();
      this.task = this.choice("Setting", [["", "all"], ...tasks.map((task) => [task, task])]);
      this.verdict = this.choice("Verdict", [["", "all"], ...Object.entries(WORDS)
        .filter(([kind]) => this.rows.some(({ row }) => row.dataset.verdict === kind))]);
      this.count = make("span", { role: "status" });
      this.says = make("div", { class: "gm-board-says", "aria-hidden": "true" }, HINT);
      this.querySelector(".gm-board-head").before(make("div", { class: "gm-board-tools" },
        this.task.parentElement, this.verdict.parentElement, this.count));
      this.append(this.says);
      for (const { dots } of this.rows) this.touched(dots);
      this.filter();
    }

    choice(label, options) {
      const select = make("select", {}, ...options.map(([value, text]) => make("option", { value }, text)));
      select.addEventListener("change", () => this.filter());
      make("label", {}, label, select);
      return select;
    }

    touched(dots) {
      const strip = dots[0].ownerSVGElement;
      strip.setAttribute("role", "group");
      for (const dot of dots) {
        const title = dot.querySelector("title");
        dot.setAttribute("role", "img");
        dot.setAttribute("aria-label", title.textContent);
        title.remove(); // the browser's own tip would cover the dot's neighbors
        dot.addEventListener("focus", () => this.at(dot));
      }
      // A finger is wider than a dot: the nearest one answers.
      for (const event of ["pointermove", "click"]) {
        strip.addEventListener(event, ({ clientX }) => {
          const away = (dot) => {
            const { left, width } = dot.getBoundingClientRect();
            return Math.abs(left + width / 2 - clientX);
          };
          const open = dots.filter((dot) => !dot.matches(".gm-faint"));
          this.at(open.reduce((best, dot) => (away(dot) < away(best) ? dot : best)));
        });
      }
      strip.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        const open = dots.filter((dot) => !dot.matches(".gm-faint"));
        const next = open[open.indexOf(document.activeElement) + step];
        if (!step || !next) return;
        event.preventDefault();
        for (const dot of dots) dot.setAttribute("tabindex", dot === next ? 0 : -1);
        next.focus();
      });
    }

    at(dot) {
      this.querySelector(".gm-at")?.classList.remove("gm-at");
      dot.classList.add("gm-at");
      this.says.textContent = dot.getAttribute("aria-label");
    }

    filter() {
      let claims = 0, shown = 0;
      for (const { row, dots } of this.rows) {
        const open = dots.filter((dot) => !this.task.value || dot.dataset.task === this.task.value);
        for (const dot of dots) {
          dot.classList.toggle("gm-faint", !open.includes(dot));
          dot.setAttribute("tabindex", dot === open[0] ? 0 : -1);
        }
        row.hidden = !open.length || (this.verdict.value && row.dataset.verdict !== this.verdict.value);
        if (!row.hidden) [claims, shown] = [claims + 1, shown + open.length];
      }
      this.count.textContent = `${claims} of ${this.rows.length} claims, ${shown} ${shown === 1 ? "dot" : "dots"}`;
      this.querySelector(".gm-at")?.classList.remove("gm-at");
      this.says.textContent = HINT;
    }
  });
})();
