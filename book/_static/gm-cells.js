// Code cells that a reader can edit and run. A page shows its code as ever, and a quiet button; what runs
// it (gm-run.js) is asked for when a button is pressed. live_cells.py writes the page's data, #gm-cells,
// whose cells are found by the class gm-n-<number>. What a reader writes is kept in this browser, and
// nothing of it runs before Run or Check is pressed.
(() => {
  "use strict";
  const held = document.getElementById("gm-cells");
  if (!held) return;
  const page = JSON.parse(held.textContent), root = document.documentElement;
  const able = root.dataset.gmRun !== undefined && window.gmRun;
  const MOST = 40_000, MOST_LINES = 1000, AT_ONCE = 24; // of what a cell prints: letters, lines, lines before the fold
  const LACKING = "This copy of the site was built without Python for its pages: its cells run in Jupyter.";

  // Elements. A function among the attributes listens to the event of that name; false leaves a part out.
  function make(name, attributes = {}, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (typeof value === "function") element.addEventListener(key, value);
      else if (value !== false) element.setAttribute(key, value === true ? "" : value);
    }
    element.append(...children.filter(Boolean));
    return element;
  }
  // A button that has nothing to do keeps the focus, which `disabled` would throw away.
  const button = (text, pushed, more = {}) => make("button", { type: "button", ...more,
    click: event => event.currentTarget.getAttribute("aria-disabled") === "true" || pushed() }, text);
  const rest = (element, idle) => element.setAttribute("aria-disabled", Boolean(idle));
  const link = (text, href, more = {}) => make("a", { href, ...more }, text);
  const code = text => make("code", {}, text);
  const pre = (text, more) => make("pre", more, text);
  const fold = (title, text) => make("details", { class: "gm-fold" }, make("summary", {}, title), pre(text));
  const count = (many, what) => `${many} ${what}${many === 1 ? "" : "s"}`;

  // What is kept: for each cell its text, the text that it began from, and what was earned with which text.
  const shared = { keeps: true, unsaved: false };
  const storage = act => { try { return act(localStorage); } catch { shared.keeps = false; return null; } };
  function read(text) {
    try {
      const found = JSON.parse(text);
      return typeof found?.text === "string" ? found : null;
    } catch {
      return null;
    }
  }
  addEventListener("beforeunload", event => shared.unsaved && event.preventDefault());

  function digest(text) {
    let sum = 0;
    for (const letter of text) sum = (31 * sum + letter.codePointAt()) | 0;
    return (sum >>> 0).toString(36);
  }

  // HTML of a result as nodes that can do nothing: no scripts, no addresses but those of the course's own
  // pages, no look that reaches beyond the result.
  const TAGS = new Set(("a b br caption circle code dd defs desc details div dl dt ellipse em figcaption figure g i li line " +
    "marker ol p path polygon polyline pre rect small span strong sub summary sup svg table tbody td text tfoot th " +
    "thead title tr tspan u ul").split(" "));
  const KNOWN = /^(?!on)(?!.*(href|src|action|xmlns)|(name|target|data|data-.*|ping|form.*|contenteditable|tabindex|autofocus|hidden|is|slot|part)$)[a-z][\w:-]*$/i;
  const REACHES = /url\((?!#)|src\(|image|expression|javascript:|\\|\/\*/i; // also what a backslash or a comment would hide
  const OURS = /^\.\.\/\.\.\/(book\/[\w/-]+)\.md(#[\w-]+)?$/;
  function cleaned(markup) {
    const inert = make("template");
    inert.innerHTML = markup;
    for (const element of inert.content.querySelectorAll("*")) {
      if (!TAGS.has(element.localName)) {
        element.remove();
        continue;
      }
      for (const { name, value } of [...element.attributes]) {
        const ours = name === "href" && element.localName === "a" && OURS.exec(value);
        if (ours) element.setAttribute("href", `${root.dataset.content_root ?? "./"}${ours[1]}.html${ours[2] ?? ""}`);
        else if (!KNOWN.test(name) || (name === "id" && !element.ownerSVGElement) || REACHES.test(value)) element.removeAttribute(name);
      }
    }
    return inert.content;
  }

  let cardStyle;

  /** What a cell prints and shows, as text; long texts are folded, very long ones cut. */
  class Output {
    constructor(title) {
      this.text = pre("");
      this.more = button("", () => { this.all = true; this.draw(); }, { class: "gm-quiet" });
      this.cut = make("p");
      this.shown = make("div", { class: "gm-code-shown" });
      this.box = make("div", { class: "gm-code-out" }, title && make("p", { class: "gm-code-label" }, title), this.text, this.more, this.cut, this.shown);
      this.clear();
    }
    clear() {
      Object.assign(this, { kept: "", full: false, all: false });
      this.shown.replaceChildren();
      this.draw();
    }
    print(text) {
      this.full ||= this.kept.length + text.length > MOST;
      if (this.kept.length < MOST) this.kept += text.slice(0, MOST - this.kept.length);
      this.drawing ||= requestAnimationFrame(() => this.draw());
    }
    draw() {
      this.drawing = 0;
      const lines = this.kept.replace(/\n$/, "").split("\n"), here = Math.min(lines.length, MOST_LINES);
      const least = this.all || here <= 1.5 * AT_ONCE ? here : AT_ONCE;
      this.text.textContent = lines.slice(0, least).join("\n");
      this.text.hidden = !this.kept;
      this.more.hidden = least === here;
      this.more.textContent = `Show ${here.toLocaleString("en-US")} lines`;
      this.cut.textContent = here < lines.length || this.full ? "What it printed beyond this is not shown." : "";
      this.box.hidden = !this.kept && !this.shown.hasChildNodes();
      window.markScrollingBoxes?.([...this.box.querySelectorAll(BOXES)]); // a box that scrolls is reached by keyboard
    }
    show({ kind, value }) {
      if (kind === "html") { // in the look of the card that the build wrote; styles of a result are left out
        cardStyle ??= document.head.appendChild(make("style", {}, page.style ?? ""));
        this.shown.append(cleaned(value));
      }
      else this.print(`${value}\n`);
      this.draw();
    }
    fail(text) {
      this.shown.append(pre(text.slice(-MOST), { class: "gm-code-error" }));
      this.draw();
    }
  }

  // What has run in the session of the page, by what it was called, and the cell that runs now.
  const ran = new Map();
  let session, busy = null;

  const words = text => new Set(text.match(/[\p{L}_][\p{L}\p{N}_]*/gu));
  /** The names that a text binds in its own lines, those that begin at the margin. */
  function binds(text) {
    const found = text.matchAll(/^(?:\s*(?:async\s+)?(?:def|class)\s+([\p{L}\p{N}_]+)|([\p{L}_][\p{L}\p{N}_, ]*?)(?::[^=\n]*)?=(?!=)|(?:from\s+\S+\s+)?import\s+(.+))/gmu);
    return [...found].flatMap(([, ...parts]) => [...words(parts.join(" "))]);
  }

  class Cell {
    constructor(told) {
      Object.assign(this, told);
      this.place = document.querySelector(`.gm-n-${this.n}`);
      this.key = `gm-work/${page.page}/${this.role === "snippet" ? digest(this.source) : this.id}`;
      this.mine = ["answer", "try", "question"].includes(this.role); // goes into the notebook
      this.title = { try: "the example", given: "this cell", snippet: "this cell" }[this.role] ?? this.id;
      this.look();
    }
    /** Take over what is kept. */
    look() {
      this.seen = this.role === "check" ? null : storage(store => store.getItem(this.key));
      this.kept = read(this.seen) ?? { text: this.source, stub: this.source, release: page.release };
    }
    get text() { return this.kept.text; }
    get changed() { return this.text !== this.source; }
    get solved() { return this.kept.right === this.text; }
    /** The points of the last check, where it was of this text. */
    get earned() { return [this.kept.checked, this.kept.right].includes(this.text) && Number.parseFloat(this.kept.points) || 0; }
    /** What it is called where an error is told. */
    get called() {
      if (this.role === "try") return `example ${cells.filter(({ role, n }) => role === "try" && n <= this.n).length}`;
      return this.role === "given" && this.changed ? `${this.id}, yours` : this.id;
    }

    /** Keep a new text; where another tab has written in between, ask first. */
    write(more) {
      Object.assign(this.kept, more);
      if (this.clash(storage(store => store.getItem(this.key)))) shared.unsaved = true;
      else this.save();
    }
    save() {
      const packed = this.changed || this.kept.right ? JSON.stringify(this.kept) : null;
      storage(store => packed === null ? store.removeItem(this.key) : store.setItem(this.key, packed));
      this.seen = packed;
      shared.unsaved = cells.some(cell => cell.clashing || (!shared.keeps && cell.mine && cell.changed));
      shared.drawn?.();
    }
    clash(now) {
      if (!shared.keeps || now === this.seen) return false;
      const same = (read(now)?.text ?? this.source) === this.text;
      if (same || !this.changed || (!this.editor && this.role !== "question")) { // nothing of this tab's is lost
        this.look();
        if (same || !(this.editor || this.role === "question")) this.remember();
        else this.set(this.text);
        shared.drawn?.();
        return false;
      }
      this.clashing ??= this.ask("Another tab changed this. Which text stays?", {
        "Take the other tab\u2019s": () => { this.clashing = null; this.look(); this.set(this.text); },
        "Keep this one": () => { this.clashing = null; this.seen = storage(store => store.getItem(this.key)); this.save(); },
      });
      return true;
    }

    // The page's side of a cell.
    dress() {
      const input = this.place.querySelector(".cell_input") ?? this.place;
      this.code = input;
      this.says = make("p", { class: "gm-code-says", role: "status" });
      this.notes = make("div", { class: "gm-code-notes" });
      this.bar = make("div", { class: "gm-code-bar" });
      this.out = new Output(this.role === "snippet" && "Yours");
      this.box = make("div", { class: "gm-code" }, this.bar, this.says, this.notes, this.out.box);
      if (this.role === "question") return this.dressQuestion();
      if (this.lacks) return this.dressLacking();
      input.after(this.box);
      const answer = this.role === "answer";
      this.start = button(answer ? "" : "Run",
        () => this.open().then(() => this.editor && (answer ? this.editor.focus() : this.run())),
        { class: answer ? "gm-button" : "gm-quiet", "aria-label": !answer && `Run ${this.title}` });
      this.bar.append(this.start);
      if (answer) this.hints = this.findHints();
      this.remember();
    }
    /** What is kept is shown in place of the code, and not run. */
    remember() {
      if (!this.bar) return; // a build without Python
      this.mark();
      if (this.editor || this.role === "question" || !this.start) return;
      this.shown ??= make("div", { class: "gm-code-kept" }, make("p", { class: "gm-code-label" }, "As you left it"), pre(""));
      this.shown.lastChild.textContent = this.text;
      if (this.changed) this.code.before(this.shown);
      else this.shown.remove();
      this.code.hidden = this.changed;
      if (this.role === "answer") this.start.textContent = this.changed ? "Go on writing" : "Write your answer here";
    }
    dressQuestion() {
      const field = make("textarea", { rows: 8, "aria-label": `Your answer: ${this.id.replaceAll("-", " ")}`, class: "gm-code-words",
        placeholder: "Your answer, in your own words", input: () => this.write({ text: field.value || this.source }) });
      this.set = text => {
        field.value = text === this.source ? "" : text;
        this.write({ text });
      };
      this.open = async () => {};
      field.value = this.changed ? this.text : "";
      this.place.replaceWith(field);
      field.after(this.box);
      this.say("A person reads this one. It is kept here and goes into your notebook.");
    }
    dressLacking() {
      const ways = text => page.ways ? link(text, page.ways) : text;
      if (this.role === "answer") {
        this.notes.append(make("p", {}, `This exercise needs ${this.lacks === "torch" ? "PyTorch" : this.lacks}, which does not exist in a browser. `,
          ways("Work on it in Jupyter"), ": ", link("download the notebook", page.notebook, { download: true }),
          ...page.open.flatMap(([name, url]) => [`, or open it in `, link(name, url)]), "."));
      } else if (["try", "snippet"].includes(this.role) && !this.code.closest("details")) {
        this.notes.append(make("p", { class: "gm-code-lacks" }, `needs ${this.lacks}: `, ways("open in Jupyter")));
      } else return;
      this.code.after(this.box);
    }
    findHints() {
      const found = [], until = cells[cells.indexOf(this) + 1 + (cells.slice(cells.indexOf(this) + 1).findIndex(c => c.role === "check"))]?.place;
      for (let next = this.place.nextElementSibling; next && next !== until; next = next.nextElementSibling) {
        if (next.matches("details") && /^\s*hint/i.test(next.querySelector("summary")?.textContent)) found.push(next);
      }
      return found;
    }

    say(text, ...more) { this.says.replaceChildren(text, ...more); }
    /** A question with its answers; the one that is chosen takes the question away. */
    ask(text, answers) {
      const asked = this.notes.querySelector(".gm-code-ask");
      if (asked && asked === this.clashing) this.clashing = null; // it is asked again at the next word
      asked?.remove();
      const box = make("div", { class: "gm-code-ask", role: "group", "aria-label": text }, make("p", {}, text),
        ...Object.entries(answers).map(([name, act]) => button(name, () => { box.remove(); act(); })));
      this.notes.append(box);
      return box;
    }
    mark() {
      this.tick?.remove();
      if (this.role !== "answer") return;
      const { right, points } = this.kept;
      this.tick = make("span", { class: `gm-code-tick${this.solved ? " gm-solved" : ""}`, hidden: !points },
        this.solved ? `\u2713 solved, ${points}` : right ? "was solved, changed since" : points ?? "");
      this.bar.append(this.tick);
    }

    /** The editor in the place of the code; a second call waits for the first. */
    open() { return this.opening ??= this.build().catch(error => { this.opening = null; this.say(error.message); }); }
    async build() {
      const answer = this.role === "answer";
      if (answer) this.load().catch(error => this.say(error.message)); // while the reader writes
      // Keys are the editor's: the site's search would take "/" away from it.
      this.pane = make("div", { class: "gm-code-editor", keydown: event => event.stopPropagation() });
      const editor = await window.gmRun.editor(this.pane, { doc: this.text,
        label: `${answer ? `Your ${this.id}` : "Code"}. Escape, then Tab, leaves the editor.`,
        onChange: text => this.edited(text), onRun: () => this.run() });
      this.editor = editor;
      this.code.hidden = true;
      this.shown.remove();
      this.code.after(this.pane);
      const focused = document.activeElement === this.start;
      this.runs = button("Run", () => this.run());
      this.checks = answer && this.check && button("Check", () => this.run(true), { class: "gm-main" });
      this.hint = answer && this.hints.length > 0 && button("", () => this.reveal());
      this.back = button(answer ? "Reset" : "Back to the original", () => this.reset());
      this.stops = button("Stop", () => window.gmRun.stop(), { hidden: true });
      this.start.replaceWith(...[this.runs, this.checks, this.hint, this.back, this.stops].filter(Boolean));
      this.bar.after(make("p", { class: "gm-code-keys" }, "Shift-Enter runs. Esc, then Tab, leaves the editor."));
      if (focused) this.runs.focus();
      for (const hint of this.hints ?? []) hint.hidden = !hint.open;
      this.tell();
      if (this.kept.stub !== this.source) {
        this.notes.append(make("p", {}, `The task has changed since you began with it (release ${this.kept.release}). Your text stays as you left it.`),
          fold("The task as it is now", this.source));
      }
      if (this.before?.length) this.box.append(fold("What runs before this cell", this.before.map(([, text]) => text).join("\n\n")));
    }
    edited(text) {
      if (this.out.shown.querySelector(".gm-verdict.right")) { // it speaks of another text
        this.out.clear();
        this.say("");
      }
      this.write({ text });
      this.editor?.mark(null);
      this.mark();
      this.tell();
    }
    set(text) {
      if (this.editor) this.editor.set(text); // and is told of it
      else {
        this.write({ text });
        this.remember();
      }
    }
    tell() {
      rest(this.back, !this.changed);
      if (!this.hint) return;
      const next = this.hints.findIndex(hint => !hint.open);
      this.hint.textContent = next < 0 ? "No more hints" : `Hint ${next + 1} of ${this.hints.length}`;
      rest(this.hint, next < 0);
    }
    reveal() {
      const next = this.hints.find(hint => !hint.open);
      Object.assign(next, { hidden: false, open: true });
      next.scrollIntoView({ block: "nearest" });
      next.querySelector("summary").focus({ preventScroll: true });
      this.tell();
    }
    reset() {
      const before = { ...this.kept }, back = () => {
        this.set(this.source);
        this.write({ stub: this.source, release: page.release });
        this.out.clear();
        this.ask("The original is back.", { Undo: () => { this.set(before.text); this.write(before); this.mark(); } });
        this.tell();
      };
      if (this.role !== "answer") return back();
      this.ask("Throw away what you wrote here?", { "Throw it away": back, "Keep it": () => {} }).querySelector("button").focus();
    }

    // Running. All that a cell builds on runs first, silently: in a notebook what this session has not run
    // or what has changed since; in a chapter everything, so that a cell always starts from the same.
    plan(checking) {
      const own = { id: this.called, source: this.text, cell: this };
      if (this.before) {
        const steps = this.before.map(([n, source]) => {
          const cell = cells.find(one => one.n === n && one.changed);
          return { id: `earlier cell ${n}`, source: cell?.text ?? source, cell };
        });
        return [...steps, own];
      }
      const steps = [], wanted = words(this.text), at = cells.indexOf(this);
      for (const cell of cells.slice(0, at).toReversed()) {
        if (cell.lacks || ["check", "question"].includes(cell.role)) continue;
        const text = cell.mine ? cell.text : cell.source;
        const needed = cell.role === "try" ? this.tries?.includes(cell.n) : cell.role === "setup" || binds(text).some(name => wanted.has(name));
        if (!needed) continue;
        steps.unshift({ id: cell.mine ? cell.called : cell.id, source: text, cell });
        for (const word of words(text)) wanted.add(word);
      }
      const stale = steps.findIndex(({ id, source }) => ran.get(id) !== source);
      return [...stale < 0 ? [] : steps.slice(stale), own, ...checking ? [{ id: "check", source: this.check.source, cell: this }] : []];
    }

    /** Python, with a bar that says what has arrived. */
    load() {
      return this.loading ??= this.fetch().finally(() => { this.loading = null; });
    }
    async fetch() {
      if (["ready", "running"].includes(window.gmRun.state)) return;
      const meter = make("progress", { max: 1, "aria-label": "Python on its way" }), said = make("span");
      const box = make("div", { class: "gm-code-load" }, meter, said, button("Cancel", () => window.gmRun.stop()));
      this.notes.append(box);
      try {
        await window.gmRun.load(({ loaded, total, say }) => {
          if (total) meter.value = loaded / total;
          said.textContent = total > 1 ? `${say}: ${(loaded / 1e6).toFixed(1)} of ${(total / 1e6).toFixed(1)} MB` : say;
        });
      } finally {
        box.remove();
      }
    }

    async run(checking) {
      if (busy) {
        if (busy !== this) this.say(`Another cell is running: ${busy.title}. Stop it first.`);
        return;
      }
      busy = this;
      this.busy(true);
      this.out.clear();
      this.say("Running \u2026");
      try {
        await this.load();
        if (session !== window.gmRun.session) ran.clear();
        session = window.gmRun.session;
        const steps = this.plan(checking);
        const visible = new Set(steps.filter(({ cell }) => cell === this).map(({ id }) => id));
        const { cells: results, ...came } = await window.gmRun.run({
          cells: steps.map(({ id, source }) => ({ id, source })),
          onPrint: (id, text) => visible.has(id) && this.out.print(text),
        });
        this.finish(steps, visible, results, came, checking);
      } catch (error) {
        this.say(error.message);
      } finally {
        busy = null;
        this.busy(false);
      }
    }
    busy(on) {
      for (const one of [this.runs, this.checks]) if (one) rest(one, on);
      if (this.stops) this.stops.hidden = !on;
      this.box.classList.toggle("gm-runs", on);
    }
    finish(steps, visible, results, { stopped, broken, seconds }, checking) {
      for (const { id, error } of results) if (!error) ran.set(id, steps.find(step => step.id === id).source);
      const last = results.at(-1);
      if (stopped || broken) {
        return this.say(`${stopped ? "Stopped." : `Python broke down (${broken}).`} The next run starts Python afresh and runs by itself what it needs.`);
      }
      if (last?.error) return this.explain(steps.find(({ id }) => id === last.id), visible, last.error);
      for (const { id, shown } of results) if (visible.has(id) && shown) this.out.show(shown);
      this.out.draw();
      this.beside();
      if (checking) return this.judge(steps.find(({ cell, id }) => cell === this && id !== "check").source);
      const quiet = this.out.box.hidden && this.role === "answer";
      this.say(quiet ? `It runs. ${this.check ? "Now press Check, or run" : "Run"} the example below.` : `Done in ${Math.max(0.01, seconds ?? 0).toFixed(2)}\u00a0s.`);
    }
    explain({ id, cell }, visible, { name, message, trace, cell: where, line }) {
      const at = Number(line) || Number(/line (\d+)/.exec(trace)?.[1]);
      cells.find(one => one.called === (where ?? id) && one.editor)?.editor.mark(at);
      if (visible.has(id)) {
        this.out.fail(trace || `${name}: ${message}`);
        const open = name === "NotImplementedError" && cells.find(one => one.id === where && one.role === "answer");
        return open ? this.say(code(open.id), " is not written yet: the line that raises NotImplementedError still stands there.") : this.say(`It stopped at an error: ${name}.`);
      }
      const there = cell && { click: event => { event.preventDefault(); cell.go(); } };
      this.out.fail(`${name}: ${message}`);
      this.say("This builds on ", cell ? make("a", { href: "#", ...there }, code(id)) : code(id), `, which fails: ${name}. Mend that first.`);
    }
    async go() {
      await this.open();
      this.pane?.scrollIntoView({ block: "center" });
      this.editor?.focus();
    }
    judge(text) {
      const card = this.out.shown.querySelector(".gm-verdict"), right = Boolean(card?.classList.contains("right"));
      const points = card?.querySelector(".pts")?.textContent;
      card?.removeAttribute("role"); // the line above is what is read out
      this.write(points ? { points, checked: text, ...right && { right: text } } : {});
      this.mark();
      this.say(right ? `Right: ${points}.` : points ? `Checked: ${points}. The card says what to look at.` : "Checked.");
    }
    /** In a chapter, the reader's output stands beside that of the build. */
    beside() {
      const built = this.place.querySelector(":scope > .cell_output");
      if (!built || this.role !== "snippet") return;
      this.pair ??= make("div", { class: "gm-code-pair" },
        make("div", {}, make("p", { class: "gm-code-label" }, "From the build"), built), this.out.box);
      this.box.after(this.pair);
    }
  }

  const cells = page.cells.map(told => new Cell(told)).filter(cell => cell.place);
  for (const [k, cell] of cells.entries()) {
    const next = cells.slice(k + 1).find(({ role }) => ["check", "answer"].includes(role));
    if (cell.role === "answer" && next?.role === "check") Object.assign(cell, { check: next });
  }
  for (const cell of cells) {
    const live = { given: cell.shows, setup: false, check: false }[cell.role] ?? true;
    if (live && (able || cell.role === "question" || (cell.lacks && cell.role !== "snippet"))) cell.dress();
    if (able && cell.role === "answer" && cell.check && !cell.lacks) {
      const far = button("Check", () => cell.open().then(() => cell.editor && (cell.go(), cell.run(true))), { class: "gm-quiet", "aria-label": `Check ${cell.id}` });
      cell.check.place.append(make("div", { class: "gm-code" }, make("div", { class: "gm-code-bar" }, far)));
    }
  }
  const first = cells.find(({ role, lacks }) => role === "snippet" && !lacks);
  if (!able && first) first.place.append(make("p", { class: "gm-code-lacks" }, LACKING));
  addEventListener("storage", event => cells.find(({ key, says }) => key === event.key && says)?.clash(event.newValue));
  window.gmCells = { page, cells, able, shared, make, button, link, count, ask: Cell.prototype.ask };
})();
