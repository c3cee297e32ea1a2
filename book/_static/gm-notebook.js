// The line under the title of an exercise page: what is solved, and the way of one's work into a notebook
// and out of one: a file, or JupyterLite where the site has it. Needs gm-cells.js before it.
(() => {
  "use strict";
  const place = document.querySelector(".gm-workplace");
  if (!place || window.gmCells?.page.kind !== "exercises") return;
  const { page, cells, able, shared, make, button, link, count, ask } = window.gmCells;
  const LACKING = "This copy of the site was built without Python for its pages: work on the exercises in Jupyter.";
  const LOST = "This browser keeps nothing for this page (a private window, or no room left): download your notebook before you leave.";

  /** Whether a cell of a notebook is the given one; a list of texts and a text are the same to Jupyter. */
  const is = (there, { id }) => there?.metadata?.nbgrader?.grade_id === id || there?.id === id;
  const textOf = ({ source = "" }) => [source].flat().join("");
  const listed = found => found.map(({ cell }) => cell.id).join(", ");

  class Bar {
    constructor() {
      this.sum = make("p", { class: "gm-code-sum", role: "status" });
      this.notes = make("div", { class: "gm-code-notes" });
      const file = make("input", { type: "file", accept: ".ipynb", class: "gm-code-file", "aria-label": "Open a notebook",
        change: () => file.files[0]?.text().then(text => this.take(text)).finally(() => { file.value = ""; }) });
      const lite = able && window.gmLite;
      place.querySelector("a[download][href$='.ipynb']")?.remove();
      place.append(this.sum, make("div", { class: "gm-code-notes gm-code-bar" },
        button("Download your notebook", () => this.download()),
        make("label", {}, "Open a notebook", file),
        lite && button("Continue in JupyterLite", () => this.leave()),
        lite && button("Fetch from JupyterLite", () => this.bring())), this.notes);
      shared.drawn = () => this.draw();
      this.draw();
    }
    say(text) {
      this.said = text;
      this.draw();
    }
    draw() {
      const all = cells.filter(({ role }) => role === "answer"), here = all.filter(cell => cell.check && !cell.lacks);
      const points = here.reduce((sum, { earned }) => sum + earned, 0), more = all.length - here.length;
      const solved = here.filter(cell => cell.solved).length;
      const text = [
        able && `${solved} of ${count(here.length, "exercise")} solved${points ? `, ${count(points, "point")}` : ""}.`,
        able && more && `${more} more ${more === 1 ? "needs" : "need"} torch.`,
        able && !solved && "Write your answer under an exercise and press Check: what it needs runs by itself.", !able && LACKING, !shared.keeps && LOST, this.said,
      ].filter(Boolean).join(" ");
      if (this.sum.textContent !== text) this.sum.textContent = text;
    }
    ask(...what) { ask.apply(this, what).querySelector("button").focus(); }
    async attempt(act) {
      try {
        await act();
      } catch (error) {
        this.say(error instanceof TypeError ? "There is no connection to the site. Try again when there is." : error.message);
      }
    }

    /** The released notebook with the reader's texts; everything else in it stays as it is. */
    async notebook() {
      const open = cells.filter(({ clashing }) => clashing).map(cell => ({ cell }));
      if (open.length) throw new Error(`Another tab changed ${listed(open)}: choose there which text stays, then try again.`);
      const answer = await fetch(page.notebook);
      if (!answer.ok) throw new Error("The notebook could not be fetched from the site.");
      const notebook = await answer.json();
      for (const cell of cells.filter(one => one.mine && one.changed)) {
        const there = notebook.cells.find(one => is(one, cell));
        if (there) there.source = cell.text.split(/(?<=\n)/);
      }
      return notebook;
    }
    download() {
      return this.attempt(async () => {
        const file = new Blob([`${JSON.stringify(await this.notebook(), null, 1)}\n`], { type: "application/x-ipynb+json" });
        const there = link("", URL.createObjectURL(file), { download: `${page.name}.ipynb` });
        there.click();
        setTimeout(() => URL.revokeObjectURL(there.href), 60_000);
        shared.unsaved = false;
        this.say(`${page.name}.ipynb holds your answers.`);
      });
    }
    leave() {
      return this.attempt(async () => {
        const work = await this.notebook(), there = await window.gmLite.get(page.name);
        const other = there ? this.differing(there) : [];
        const go = () => this.attempt(async () => {
          await window.gmLite.put(page.name, work);
          shared.unsaved = false;
          location.assign(await window.gmLite.url(page.name));
        });
        if (!other.length) return go();
        this.ask(`JupyterLite has other answers in this browser: ${listed(other)}. Put those of this page in their place?`,
          { "Put them there": go, Cancel: () => this.say("Nothing was changed.") });
      });
    }
    bring() {
      return this.attempt(async () => {
        const there = await window.gmLite.get(page.name);
        if (there) this.offer(there, "JupyterLite");
        else this.say("JupyterLite has no work on this notebook in this browser.");
      });
    }
    take(text) {
      let found = null;
      try {
        found = JSON.parse(text);
      } catch { /* said below */ }
      if (Array.isArray(found?.cells)) this.offer(found);
      else this.say("That file is not a notebook: choose one that ends with .ipynb.");
    }

    /** The cells to which a notebook has another text. */
    differing(notebook) {
      return cells.filter(cell => cell.mine).flatMap(cell => {
        const there = notebook.cells.find(one => is(one, cell));
        return there && textOf(there) !== cell.text ? [{ cell, text: textOf(there) }] : [];
      });
    }
    offer(notebook, whose = "the notebook") {
      const answers = cells.filter(({ role }) => ["answer", "question"].includes(role));
      if (!notebook.cells.some(there => answers.some(cell => there?.metadata?.nbgrader?.grade_id === cell.id))) {
        return this.say(`That notebook is another one: no cell of it answers an exercise of this page (${page.name}.ipynb).`);
      }
      const other = this.differing(notebook), lost = other.filter(({ cell }) => cell.changed);
      const take = () => {
        for (const { cell, text } of other) cell.set(text);
        this.say(other.length ? `${count(other.length, "answer")} taken over: ${listed(other)}.` : "It has the same answers as this page.");
      };
      if (!lost.length) return take();
      this.ask(`This page and ${whose} differ: ${listed(lost)}. Which one stays?`,
        { [`Take ${whose}\u2019s`]: take, "Keep this page\u2019s": () => this.say("Nothing was changed.") });
    }
  }

  new Bar();
})();
