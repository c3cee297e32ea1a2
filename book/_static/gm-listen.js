// <gm-listen>: a trained GRU listens, frame by frame, for as long as a key is held: to a voice that it has
// never heard, to another with its sound, or to the reader's microphone. Nothing heard leaves the page.
//
// Inside the element stand its data and a drawing of the first seconds, which the script replaces;
// experiments/live_listen.py says what both are. Needs gm-elements.js and gm-ears.js before it.
(() => {
  const { html, svg, fill, pen, px, percent, written, RATE, HOP, ...GM } = window.GM;
  const PAUSE = 16, LATE = 12, CHUNK = 64, DIGITS = 10, SECOND = RATE / HOP, MS = 1000 / SECOND; // as in experiments/readings.py
  const SHOWN = 240, KEPT = 80 * CHUNK, DARKEST = 0.8; // frames in the drawing, frames kept of a microphone
  const MICROPHONE = 2; // the number of this source
  // From the top and how tall, in pixels, as in experiments/live_listen.py.
  const SAID = [18, 20], SOUND = [63, 65], GATES = [153, 44], STATE = [222, 96], SCORE = [343, 108], HEARD = [476, 24], HEIGHT = 518;
  const STYLE = `
    gm-listen .stage { position: relative; }
    gm-listen .stage > svg { position: relative; overflow: hidden; }
    gm-listen polyline { fill: none; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
    gm-listen canvas { position: absolute; width: 100%; image-rendering: pixelated; }
    gm-listen .counts { display: grid; grid-template-columns: 34fr 30fr 36fr; margin: 0 0 0.9rem; font-size: 0.8125rem; color: var(--gm-muted); }
    gm-listen .counts b { display: block; font-size: 1.5rem; line-height: 1.2; font-weight: 600; color: var(--gm-ink);
      font-variant-numeric: tabular-nums; }
    gm-listen .hold { user-select: none; -webkit-user-select: none; -webkit-touch-callout: none; touch-action: none; }
    gm-listen .gm-choice { flex-direction: column; gap: 0.15rem; align-items: stretch; }
    gm-listen .note { margin: 0.5rem 0 0; color: var(--gm-muted); font-size: 0.8125rem; line-height: 1.45; }
  `;

  // The net and its answers.
  const decoded = GM.once(GM.decodeAll);
  const zero = (packed) => new Float64Array(decoded(packed).weight_hh.shape[1]);
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

  /** The likeliest digit and its probability; the last class is "nothing". */
  function likeliest(probabilities) {
    const share = Math.max(...probabilities.slice(0, DIGITS));
    return { share, digit: probabilities.indexOf(share) };
  }

  function step(packed, frame, before) {
    const net = decoded(packed), { z, r, h } = GM.gruStep(net, GM.affine(net.weight_ih, frame, net.bias_ih), before);
    const logits = GM.affine(net.readout_weight, h, net.readout_bias), most = Math.max(...logits);
    const shares = logits.map((logit) => Math.exp(logit - most)), total = shares.reduce((sum, share) => sum + share);
    const probabilities = shares.map((share) => share / total);
    return { frame, h, z: mean(z), r: mean(r), probabilities, ...likeliest(probabilities) };
  }

  /** What a net does at each of the standardized frames; its state begins anew at those whose numbers are `cuts`. */
  function run(packed, frames, cuts = []) {
    const anew = new Set(cuts);
    let h = zero(packed);
    return frames.map((frame, t) => {
      const now = step(packed, frame, anew.has(t) ? zero(packed) : h);
      ({ h } = now);
      return now;
    });
  }

  /** [frame, digit] of every report: as soon as the likeliest digit reaches the threshold, and then none for 16 frames. */
  function reports(steps, threshold) {
    const found = [];
    let silent = 0;
    steps.forEach(({ share, digit }, frame) => {
      if (share < threshold || frame < silent) return;
      found.push([frame, digit]);
      silent = frame + PAUSE;
    });
    return found;
  }

  /** Reports against words: `late`, frames from the end of a word to its report; `right`, for each report;
   * `by`, for each word the frame of its report, or -1. */
  function held(found, spans) {
    const by = spans.map(() => -1), late = [];
    const right = found.map(([frame, digit]) => {
      const k = spans.findIndex(([first, end, said], word) =>
        by[word] < 0 && first <= frame && frame < end + LATE && said === digit);
      if (k >= 0) {
        by[k] = frame;
        late.push(frame - spans[k][1]);
      }
      return k >= 0;
    });
    return { missed: spans.length - late.length, alarms: found.length - late.length, late, right, by };
  }

  const WAYS = ["carried", "words", "chunks"];
  function cutsOf(way, length, spans) {
    if (way === "chunks") return Array.from({ length: Math.ceil(length / CHUNK) - 1 }, (_, k) => CHUNK * (k + 1));
    return way === "words" ? spans.slice(1).map(([first], k) => Math.floor((spans[k][1] + first) / 2)) : [];
  }

  const median = (values) => {
    const sorted = values.toSorted((a, b) => a - b), half = sorted.length / 2;
    return (sorted[Math.ceil(half) - 1] + sorted[Math.floor(half)]) / 2;
  };

  // The drawing.
  const word = (x, y, text, color = "ink", more = {}) => svg("text", { x, y, style: `fill:var(--gm-${color})`, ...more }, text);
  const END = { "text-anchor": "end" }, MIDDLE = { "text-anchor": "middle" };
  const across = (y, stroke = pen("line")) => svg("line", { x2: "100%", y1: y, y2: y, ...stroke });
  const block = ([y, height], [from, to], more) => svg("rect", { x: px(from), y, width: px(to - from), height, ...more });
  const curves = ([y, height], ...lines) => svg("svg", { y, width: "100%", height, viewBox: `0 0 ${SHOWN} ${height}`,
    preserveAspectRatio: "none" }, ...lines.map(([values, ...stroke]) => svg("polyline", { ...pen(...stroke),
      points: values.map((value, k) => `${k + 0.5},${height * (1 - value)}`).join(" ") })));
  const LOOKS = { said: fill("line", 0.5), found: fill("gru", 0.25), missed: { fill: "none", ...pen("forget", 1.5, "3 2") } };

  // A cell for each number from -range to range, the larger the darker.
  function heat(canvas, rows, range, color) {
    const context = canvas.getContext("2d"), image = context.createImageData(SHOWN, canvas.height);
    const rgb = getComputedStyle(canvas).getPropertyValue(color).match(/[\da-f]{2}/gi).map((two) => Number.parseInt(two, 16));
    rows.forEach((values, x) => values.forEach((value, y) =>
      image.data.set([...rgb, 255 * DARKEST * Math.max(0, Math.min(0.5 + value / range / 2, 1))], 4 * (y * SHOWN + x))));
    context.putImageData(image, 0, 0);
  }

  const count = (many, what) => `${many} ${what}${many === 1 ? "" : "s"}`;
  const seconds = (frames) => `${written(frames / SECOND, 1)}\u00a0s`;

  class GMListen extends GM.Live {
    static room = [1189, 956];

    begin() {
      const { frames, spans } = this.data.stream, { values, shape: [, length] } = GM.decodeAll({ frames }).frames;
      this.voice = { spans, frames: Array.from({ length }, (_, t) => Float64Array.from(this.data.mean, (_, k) => values[k * length + t])) };
      this.reasons = new Set(); // why it is running: a key, a pointer, a switch
      Object.assign(this, { number: 0, net: "listener", way: WAYS[0], source: this.voice, at: SHOWN });
      this.build();
      this.limit.show(this.data.threshold);
      this.compute();
      this.status.say("Hold the button, and the net listens on.");
      document.addEventListener("visibilitychange", () => document.hidden && this.quiet());
      new MutationObserver(() => this.draw()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    }
    disconnectedCallback() { this.quiet(); }
    get pace() { return matchMedia("(prefers-reduced-motion: reduce)").matches ? 10 : 1; } // frames at a time

    build() {
      const canvas = ([top, tall], height) => html("canvas", { width: SHOWN, height, style: `top:${top}px;height:${tall}px` });
      this.sound = canvas(SOUND, this.data.mean.length);
      this.state = canvas(STATE, zero(this.data.nets.listener).length);
      this.marks = svg("svg", { class: "gm-drawing", height: HEIGHT, "aria-hidden": "true" });
      this.stage = html("div", { class: "stage", tabindex: 0, role: "application", "aria-label":
        "What the net hears. Hold Space or L to listen, arrows: one frame, Home: restart" }, this.sound, this.state, this.marks);
      this.counts = html("div", { class: "counts" });
      const up = () => this.release("pointer"), row = (...inside) => html("div", { class: "gm-row" }, ...inside);
      const note = (...inside) => html("div", { class: "note" }, ...inside), key = (name) => html("kbd", {}, name);
      const controls = (...rows) => html("div", { class: "gm-controls" }, ...rows);
      this.holding = html("button", { type: "button", class: "hold", pointerdown: (event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        this.hold("pointer");
      }, pointerup: up, pointercancel: up, lostpointercapture: up, contextmenu: (event) => event.preventDefault(),
        click: (event) => event.detail || this.keep() }, "Hold to listen"); // a screen reader clicks without a pointer
      this.keeping = GM.button("Keep running", () => this.keep());
      this.listening = GM.button("", () => this.microphone());
      const choose = (what) => { Object.assign(this, what); this.compute(); this.tell(); };
      this.sources = GM.choice("Listen to", ["a voice it never heard", "another voice, with sound", "my microphone"],
        (number) => this.open(number));
      this.sources.select.lastChild.disabled = true; // has a button
      const nets = GM.choice("Net trained on", ["streams", "single words"], (k) => choose({ net: ["listener", "clips"][k] }));
      const ways = GM.choice("State", ["carried on", "reset before every word", "reset every 1.6 s"], (k) => choose({ way: WAYS[k] }));
      this.limit = GM.range({ name: "threshold", label: "Threshold", min: 0.05, max: 0.99, step: 0.01, shown: (value) => written(value) },
        (value) => { this.limit.show(value); this.judge(); this.tell(); });
      const range = (values) => `${written(Math.min(...values), 0)} to ${written(Math.max(...values), 0)}`;
      this.append(this.counts, this.stage,
        row(this.holding, this.keeping, GM.button("One frame", () => this.step(this.at + 1)),
          GM.button("Restart", () => this.step(0), { class: "gm-end" })),
        note("In the drawing: hold ", key("Space"), " or ", key("L"), " to listen, ", key("\u2190"), " ", key("\u2192"),
          " for one frame, ", key("Home"), " to restart."),
        controls(this.sources.row, nets.row, ways.row), controls(this.limit.row), ...this.status.lines, row(this.listening),
        note("The sound is turned into numbers in this page and forgotten; nothing leaves it. Expect little. The net has heard " +
          "four voices say ten English words, in one kind of recording. Of six voices that they had never heard, nets like it " +
          `found ${range(this.data.found)}\u00a0% of the words, with ${range(this.data.alarms)} false alarms an hour.`));
      this.addEventListener("keydown", (event) => this.key(event));
      this.addEventListener("keyup", (event) => {
        if (this.holds(event)) event.preventDefault(), this.release("key");
      });
      this.addEventListener("focusout", () => this.release("key"));
      this.mark();
    }

    // Lists, sliders and other buttons keep the keys that they have a use for.
    holds({ key, target }) {
      return /^l$/i.test(key) ? !/INPUT|SELECT/.test(target.tagName)
        : (target === this.stage || target === this.holding) && (key === " " || key === "Enter");
    }
    key(event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const to = { ArrowRight: this.at + 1, ArrowLeft: this.at - 1, Home: 0 }[event.key];
      if (this.holds(event)) event.repeat || this.hold("key");
      else if (to !== undefined && event.target === this.stage) this.step(to);
      else return;
      event.preventDefault();
    }

    hold(reason) {
      if (this.asked) return;
      if (this.number === MICROPHONE) this.open(0);
      this.reasons.add(reason);
      if (this.timer) return;
      if (this.at >= this.steps.length) this.at = 0;
      const from = performance.now() - MS * this.at, { length } = this.steps;
      const tick = () => {
        const due = Math.min(Math.floor((performance.now() - from) / MS), length);
        if (due - this.at >= this.pace || due === length) this.draw(due);
        if (due === length) this.quiet();
        else this.timer = requestAnimationFrame(tick);
      };
      this.timer = requestAnimationFrame(tick);
      this.silence = this.source.samples && GM.play(this.source.samples, this.at * HOP / RATE);
      this.mark();
    }
    release(reason) {
      if (this.reasons.delete(reason) && !this.reasons.size) this.quiet();
    }
    keep() { this.reasons.has("switch") ? this.quiet() : this.hold("switch"); }
    quiet() {
      const ran = this.timer || this.unplug;
      cancelAnimationFrame(this.timer);
      this.reasons.clear();
      this.silence?.();
      this.unplug?.();
      this.timer = this.silence = this.unplug = this.asked = null;
      this.mark();
      if (ran) this.tell();
    }
    mark() {
      this.holding.setAttribute("aria-pressed", Boolean(this.timer));
      this.keeping.setAttribute("aria-pressed", this.reasons.has("switch"));
      this.listening.setAttribute("aria-pressed", Boolean(this.asked));
      this.listening.textContent = this.asked ? "Stop the microphone" : "Listen to my microphone";
    }
    step(to) {
      this.quiet();
      this.draw(Math.max(0, Math.min(to, this.steps.length)));
      this.tell();
    }
    open(number) {
      this.quiet();
      this.sources.select.value = this.number = number;
      this.source = [this.voice, number === 1 && this.stranger, { spans: [], frames: [] }][number];
      this.at = 0;
      this.compute();
      this.tell();
    }
    get stranger() {
      const other = this.other ??= GM.spoken(this.data.sound);
      other.frames ??= GM.mfcc(other.samples).map((frame) => this.standard(frame));
      return other;
    }
    standard(frame) {
      const { mean, spread } = this.data;
      return frame.map((value, k) => (value - mean[k]) / spread[k]);
    }
    compute() {
      const { frames, spans } = this.source;
      this.steps = run(this.data.nets[this.net], frames, cutsOf(this.way, frames.length, spans));
      this.judge();
    }
    judge() {
      this.least = Number(this.limit.input.value);
      this.found = reports(this.steps, this.least);
      this.result = held(this.found, this.source.spans);
      this.sum();
      this.draw();
    }

    async microphone() {
      if (this.asked) return this.quiet();
      if (!navigator.mediaDevices) return this.status.say("No microphone: a browser lends it only to pages over https.");
      this.open(MICROPHONE);
      const asked = this.asked = {}, ear = new GM.Listener();
      this.mark();
      this.status.say("The browser asks if it may listen.");
      try {
        const stop = await GM.microphone((samples) => this.asked === asked && this.hear(ear.hear(samples)),
          () => this.asked === asked && [this.quiet(), this.status.say("The microphone is gone.")]);
        if (this.asked !== asked) return stop();
        this.unplug = stop;
        this.status.say("Listening: say a digit");
      } catch ({ name, message }) {
        if (this.asked !== asked) return;
        this.quiet();
        this.status.say({ NotAllowedError: "The microphone was refused. The rest works without it.",
          NotFoundError: "No microphone was found." }[name] ?? `The microphone cannot be heard: ${message}`);
      }
    }
    hear(frames) {
      const { source, steps } = this, net = this.data.nets[this.net];
      for (const frame of frames.map((raw) => this.standard(raw))) {
        const anew = this.way === "chunks" && steps.length % CHUNK === 0;
        steps.push(step(net, frame, !anew && steps.at(-1)?.h || zero(net)));
        source.frames.push(frame);
      }
      if (steps.length > KEPT) [source.frames, steps].forEach((list) => list.splice(0, KEPT / 2));
      this.at = steps.length;
      this.due ||= setTimeout(() => {
        this.due = 0;
        this.judge();
      }, MS * this.pace);
    }

    sum() {
      const { found, result: { missed, alarms, late }, steps: { length }, source: { spans } } = this;
      const entry = (name, value, more) => html("div", {}, name, html("b", {}, value), more);
      this.counts.replaceChildren(...(this.number === MICROPHONE ? [entry("Reports", found.length, `in the last ${seconds(length)}`)] : [
        entry("Words found", `${spans.length - missed} of ${spans.length}`, `in ${seconds(length)}`),
        entry("False alarms", alarms, `${written(3600 * SECOND * alarms / length, 0)} an hour`),
        entry("Median wait", late.length ? `${written(MS * median(late), 0)}\u00a0ms` : "\u2013", "from a word\u2019s end")]));
    }

    draw(at = this.at) {
      this.at = at;
      const { steps, least, found, source: { spans }, result: { right, by } } = this, from = Math.max(0, at - SHOWN);
      const seen = steps.slice(from, at), now = seen.at(-1), x = (t) => 100 * (t - from) / SHOWN;
      const words = spans.map(([first, end, digit], k) => ({ at: [x(Math.max(first, from)), x(Math.min(end, at))], digit: end <= at && digit,
        look: by[k] >= 0 && by[k] < at ? "found" : by[k] < 0 && end + LATE <= at ? "missed" : "said" })).filter(({ at: [a, b] }) => a < b);
      heat(this.sound, seen.map(({ frame }) => frame), 3, "--gm-ink");
      heat(this.state, seen.map(({ h }) => h), 1, "--gm-gru");
      const limit = SCORE[0] + SCORE[1] * (1 - least), label = ([y], text, ...more) => word(0, y - 6, text, ...more);
      this.marks.replaceChildren(...[
        ...words.flatMap(({ at }) => [GATES, SCORE].map((row) => block(row, at, fill("panel")))),
        this.number !== MICROPHONE && label(SAID, "Said (dashed: missed)"), label(SOUND, "Sound: 13 coefficients a frame"), label(STATE, "State: 32 units"),
        label(GATES, "Gates:"), word(38, GATES[0] - 6, "taken in (1\u00a0\u2212\u00a0z)", "update"),
        word(124, GATES[0] - 6, "reset open (r)", "reset"), label(SCORE, `Likeliest digit (dashed: threshold ${written(least)})`),
        now && word("100%", SCORE[0] - 6, `${now.digit}: ${percent(now.share)}`, "gru", END),
        label(HEARD, this.number === MICROPHONE ? "Reported" : "Reported (crossed: false alarm)"),
        ...[GATES, SCORE].flatMap(([y, height]) => [y, y + height]).map((y) => across(y)),
        ...words.flatMap(({ at, digit, look }) => [block(SAID, at, { rx: 3, ...LOOKS[look] }),
          digit !== false && word(px((at[0] + at[1]) / 2), SAID[0] + 14.5, digit, "ink", MIDDLE)]),
        curves(GATES, [seen.map(({ z }) => 1 - z), "update", 1.5], [seen.map(({ r }) => r), "reset", 1.5, "4 2"]),
        curves(SCORE, [seen.map(({ share }) => share), "gru", 2]),
        across(limit, pen("ink", 1, "5 3")),
        ...found.map(([frame, digit], k) => frame >= from && frame < at && this.report(px(x(frame + 0.5)), digit, right[k])),
        ...Array.from({ length: 6 }, (_, k) => Math.ceil(from / SECOND) + k).map((k) => word(px(x(k * SECOND)), HEIGHT - 3, `${k}\u00a0s`, "muted")),
      ].filter(Boolean));
    }
    report(x, digit, right) {
      return svg("svg", { x, y: HEARD[0] + HEARD[1] / 2, overflow: "visible" }, ...(right || this.number === MICROPHONE
        ? [svg("circle", { r: 8.5, ...fill("gru") }), word(0, 4, digit, "paper", MIDDLE)]
        : [svg("path", { d: "M-5-5l10 10m0-10l-10 10", ...pen("forget", 2) }), word(8, 4, digit)]));
    }

    tell() {
      const { at, found, result: { by, right, alarms, missed }, source: { spans } } = this;
      const over = spans.filter(([, end]) => end + LATE <= at).length, heard = found.filter(([frame]) => frame < at);
      this.status.say(this.number === MICROPHONE
        ? `${seconds(at)} heard, ${count(heard.length, "report")}.${this.way === "words" ? " Nobody says where a word begins: the state is carried on." : ""}`
        : `At ${seconds(at)}: ${by.slice(0, over).filter((frame) => frame >= 0).length} of ${count(over, "word")} found, ` +
          `${count(heard.filter((_, k) => !right[k]).length, "false alarm")}. In all ${seconds(this.steps.length)}: ` +
          `${spans.length - missed} of ${spans.length}, ${count(alarms, "false alarm")}.`);
    }
  }

  Object.assign(GMListen, { run, likeliest, reports, held, cutsOf, mfcc: GM.mfcc });
  GM.define("gm-listen", GMListen, STYLE);
})();
