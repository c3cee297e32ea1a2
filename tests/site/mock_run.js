// Stands in for gm-run.js: no worker, and a text area for an editor. `mock` says what cells give.
(() => {
  let session = 0, state = "idle", pending = null;
  const held = () => new Promise((resolve, reject) => { pending = { resolve, reject }; });
  const mock = window.mock = {
    asked: [], fails: "", holdsLoad: false, holdsRun: false, release: () => pending.resolve(),
    answer: ({ source }) => source.includes("BROKEN")
      ? { error: { name: "SyntaxError", message: "broken", trace: "line 1\n    BROKEN\nSyntaxError: broken", line: 1 } } : {},
  };
  window.gmRun = {
    get session() { return session; },
    get state() { return state; },
    async load(onProgress) {
      if (state === "ready") return;
      state = "loading";
      onProgress({ loaded: 2e6, total: 8e6, say: "Fetching Python" });
      try {
        if (mock.holdsLoad) await held();
        if (mock.fails) throw new Error(mock.fails);
        state = "ready";
      } finally {
        if (state === "loading") state = "idle";
      }
    },
    async run({ cells, onPrint }) {
      mock.asked.push(cells);
      state = "running";
      const done = [];
      for (const cell of cells) {
        const came = { id: cell.id, printed: "", shown: null, error: null, ...mock.answer(cell) };
        if (came.printed) onPrint(cell.id, came.printed);
        done.push(came);
        if (came.error) break;
      }
      const stopped = mock.holdsRun && await held() === "stop";
      state = stopped ? "idle" : "ready";
      return stopped ? { stopped, cells: [] } : { cells: done, seconds: 0.01 };
    },
    stop() {
      session += 1;
      if (state === "running") pending.resolve("stop");
      else pending?.reject(new Error("Stopped."));
      state = "idle";
    },
    async editor(parent, { doc, label, onChange, onRun }) {
      const field = document.createElement("textarea");
      Object.assign(field, { value: doc, rows: 8, ariaLabel: label, style: "width: 100%; box-sizing: border-box" });
      field.addEventListener("input", () => onChange(field.value));
      field.addEventListener("keydown", event => event.key === "Enter" && event.shiftKey && (event.preventDefault(), onRun()));
      parent.append(field);
      return {
        get text() { return field.value; },
        set(value) { field.value = value; onChange(value); },
        focus() { field.focus(); },
        mark(line) { field.dataset.marked = line ?? ""; },
      };
    },
  };
})();
