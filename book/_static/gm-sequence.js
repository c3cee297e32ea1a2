// What <gm-gru-cell> and <gm-lstm-cell> have in common: a sequence that the reader draws, a cell that
// steps through it, and the traces of all that is computed on the way.
//
// The element stands around two drawings by autograder/course/diagrams/cell_figures.py, the cell at
// one step and the traces, which are complete without a script. Needs gm-elements.js before it.
(() => {
  const { html, svg, fill, pen, px, written, ...GM } = window.GM;
  const HEAD = 18, GAP = 12, TEMPO = 600; // pixels; milliseconds a step
  const REST = matchMedia("(prefers-reduced-motion: reduce)");
  const STYLE = `
    .gm-sequence.gm-live { max-width: 560px; }
    .gm-sequence .gm-controls { gap: 0.35rem 1.25rem; align-items: start; grid-template-columns: repeat(auto-fit, minmax(min(9.5rem, 100%), 1fr)); }
    .gm-traces { touch-action: pan-y; user-select: none; -webkit-user-select: none; }
    .gm-traces [data-draw] { fill: transparent; cursor: crosshair; touch-action: none; }
    .gm-check { display: flex; gap: 0.4rem; align-items: center; margin: 0; cursor: pointer; }
    .gm-check input { appearance: none; width: 1.5rem; height: 1.5rem; margin: 0; border: 2px solid var(--gm-gru); border-radius: 0.3rem; cursor: pointer; }
    .gm-check input:checked { background: var(--gm-gru); box-shadow: inset 0 0 0 3px var(--gm-paper); }
  `;
  const SHAPES = [["a pulse", (t) => 2 * (t === 2 || t === 3)], ["a step", (t) => 1.5 * (t > 4)],
    ["a wave", (t) => 1.5 * Math.sin(t * Math.PI / 4)], ["noise", (t) => 2 * Math.sin(7 * t * t)], ["silence", () => 0]];

  const tenths = (x) => Math.round(10 * x) / 10;

  /** The weighted sums of the rows of W (H, N) with the vector v, which may be shorter, plus b (H,). */
  const sums = (W, v, b) => W.map((row, i) => v.reduce((sum, value, k) => sum + row[k] * value, b ? b[i] : 0));

  class Sequence extends GM.Live {
    begin() {
      this.classList.add("gm-sequence");
      this.start = JSON.parse(this.getAttribute("cell"));
      this.plot = this.querySelector(".gm-traces");
      this.length = this.start.xs.length;
      const grip = svg("rect", { "data-draw": "", y: HEAD, width: "100%", height: this.start.panels[0][2],
        pointerdown: (event) => {
          if (event.button) return;
          grip.setPointerCapture(this.held = event.pointerId);
          this.pull(event);
        }, pointermove: (event) => this.held === event.pointerId && this.pull(event),
        lostpointercapture: () => { this.held = null; } });
      this.axes = [...this.plot.querySelectorAll(":scope > :is(line, text)")];
      this.drawn = svg("g");
      this.plot.replaceChildren(this.drawn, grip); // a grip that is taken out would let go of the pointer
      const { row, select } = GM.choice("Input", [...SHAPES.map(([name]) => name), "yours"], (number) => {
        SHAPES[number] && this.set({ xs: this.shaped(number) });
      });
      this.shape = select;
      this.player = GM.button("", () => this.play());
      this.ranges = [];
      const step = this.slider("at", "Step <i>t</i>", 0, this.length - 1, (s) => s.at, (at) => ({ at }), 1, (t) => `${t + 1}`);
      const input = this.slider("x", "Input at this step", -2, 2, (s) => s.xs[s.at], (x) => ({ xs: this.state.xs.with(this.state.at, x) }));
      this.append(
        html("div", { class: "gm-row" }, row,
          GM.button("Step", () => this.set({ at: (this.state.at + 1) % this.length })), this.player,
          GM.button("Start again", () => this.reset(), { class: "gm-end" })),
        html("div", { class: "gm-controls" }, step, input, ...this.controls()),
        ...this.more?.() ?? [], ...this.status.lines);
      this.reset();
    }

    shaped(number) { return this.start.xs.map((_, t) => tenths(SHAPES[number][1](t))); }

    slider(name, label, min, max, get, changes, step = 0.1, shown) {
      const made = GM.range({ name, label, min, max, step, ...shown && { shown } }, (value) => this.set(changes(value)));
      this.ranges.push([made, get]);
      return made.row;
    }

    set(changes) {
      Object.assign(this.state, changes);
      this.draw();
    }
    reset() {
      this.state = structuredClone(this.start);
      this.draw();
    }

    pull(event) {
      const box = this.plot.getBoundingClientRect(), [low, high, height] = this.start.panels[0];
      const within = (value, least, most) => Math.max(least, Math.min(most, value));
      const at = within(Math.floor(this.length * (event.clientX - box.left) / box.width), 0, this.length - 1);
      const x = within(high - (high - low) * (event.clientY - box.top - HEAD) / height, low, high);
      this.set({ at, xs: this.state.xs.with(at, tenths(x)) });
    }

    // Where motion is unwelcome, "To the end" goes there at once.
    play() {
      if (REST.matches) return this.set({ at: this.length - 1 });
      if (this.timer) return this.pause();
      this.set({ at: 0 });
      this.timer = setInterval(() => {
        if (this.state.at === this.length - 1 || !this.isConnected) return this.pause();
        this.set({ at: this.state.at + 1 });
      }, TEMPO);
      this.draw();
    }
    pause() {
      this.timer = clearInterval(this.timer);
      this.draw();
    }

    draw() {
      const { at, xs } = this.state, { rows, other } = this.run(this.state), now = rows[at];
      const known = SHAPES.findIndex((_, number) => `${this.shaped(number)}` === `${xs}`);
      this.shape.value = known < 0 ? SHAPES.length : known;
      this.player.textContent = REST.matches ? "To the end" : this.timer ? "Pause" : "Play";
      for (const place of this.querySelectorAll("[data-value]")) place.textContent = written(now[place.dataset.value]);
      const shares = this.shares(now);
      for (const wire of this.querySelectorAll("[data-flow]")) {
        wire.setAttribute("stroke-width", this.start.stroke * (0.3 + 3 * shares[wire.dataset.flow]));
      }
      for (const [{ show }, get] of this.ranges) show(get(this.state, now));
      this.trace(rows, other, at);
      this.status.say(this.sentence(now, rows, other));
    }

    trace(rows, other, at) {
      const share = (t) => px(100 * t / this.length);
      const height = this.plot.getAttribute("height") - HEAD;
      const drawn = [svg("rect", { x: share(at), width: share(1), height, ...fill("line", 0.45) }), ...this.axes];
      let top = HEAD;
      for (const [low, high, tall, curves] of this.start.panels) {
        const down = (value) => tall * (high - value) / (high - low);
        const line = (key, from, stroke) => svg("polyline", { points: from.map((row, t) => `${t + 0.5},${down(row[key]).toFixed(3)}`).join(" "),
          fill: "none", "vector-effect": "non-scaling-stroke", ...stroke });
        const inside = curves.flatMap(([key, , color, dash]) => key === "x"
          ? rows.map(({ x }, t) => svg("rect", { x: t + 0.2, width: 0.6, y: Math.min(down(x), down(0)) - 1,
            height: Math.abs(down(x) - down(0)) + 2, ...fill("ink") }))
          : [other && key in other[0] && line(key, other, pen("muted", 1)), line(key, rows, pen(color, 2, dash || "none"))].filter(Boolean));
        drawn.push(svg("svg", { y: top, width: "100%", height: tall, viewBox: `0 0 ${this.length} ${tall}`, preserveAspectRatio: "none",
          overflow: "visible", "aria-hidden": "true" }, ...inside), ...curves.filter(([key]) => key !== "x").map(([key, , color]) =>
          svg("circle", { cx: share(at + 0.5), cy: top + down(rows[at][key]), r: 3.5, ...fill(color) })));
        top += tall + GAP + HEAD;
      }
      this.drawn.replaceChildren(...drawn);
    }
  }

  Object.assign(window.GM, { Sequence, sums });
  document.head.append(html("style", {}, STYLE));
})();
