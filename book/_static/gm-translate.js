// <gm-translate>: a trained encoder and decoder say a number in German, piece by piece.
//
// Inside the element stand its data, as JSON, and the drawing of one number, which the script replaces;
// experiments/live_translate.py says what both are. Needs gm-elements.js before it.
(() => {
  const { html, svg, fill, pen, px, written, percent, ...GM } = window.GM;
  const PAD = 0, START = 1, END = 2, FIRST = 3, WIDTH = 4, MOST = 9; // MOST: digits that can be typed
  const ROW = 26, TOP = 26, LEFT = 88; // pixels: a piece's row, the digits above, the column of pieces
  const STYLE = `
    gm-translate .ask { display: flex; flex-wrap: wrap; gap: 0.4rem 1.5rem; align-items: baseline; }
    gm-translate .ask label { display: flex; gap: 0.6rem; align-items: baseline; max-width: 100%; }
    gm-translate input[inputmode] { width: 9em; min-width: 0; padding: 0.3rem 0.6rem; font: 600 1.375rem/1.3 var(--gm-sans); color: inherit;
      letter-spacing: 0.08em; background: none; border: 1px solid var(--gm-muted); border-radius: 0.45rem; }
    gm-translate .said { min-height: 2.2em; margin: 0.8rem 0 0.2rem; font: 400 1.5rem/1.35 var(--gm-serif, serif); overflow-wrap: anywhere; }
    gm-translate .said span { color: var(--gm-muted); }
    gm-translate .said b { font-weight: 600; color: var(--gm-gru); }
    gm-translate .parts { display: grid; gap: 1rem 2rem; grid-template-columns: repeat(auto-fit, minmax(min(17rem, 100%), 1fr)); margin-top: 0.8rem; }
    gm-translate .parts > div > b { display: block; margin: 0 0 0.3rem; font: 600 0.875rem/1.3 var(--gm-sans); }
    gm-translate .map { padding-left: ${LEFT}px; }
    gm-translate .gm-drawing text { font-size: 13px; }
    gm-translate .parts ol { margin: 0; padding: 0; list-style: none; }
    gm-translate li { display: grid; grid-template-columns: 1fr auto; gap: 0.8rem; margin: 0; padding: 0.3rem 0.5rem; border-bottom: 1px solid var(--gm-line);
      overflow-wrap: anywhere; }
    gm-translate li.same { background: var(--gm-panel); }
    gm-translate li span { color: var(--gm-muted); font-variant-numeric: tabular-nums; }
  `;

  const modelOf = GM.once((data) => {
    const all = GM.decodeAll(data.net), hidden = all.mix_bias.values.length;
    const part = (name) => ({ weight_ih: all[`${name}_weight_ih`], weight_hh: all[`${name}_weight_hh`],
      bias_ih: all[`${name}_bias_ih`], bias_hh: all[`${name}_bias_hh`] });
    return { ...all, hidden, encoder: part("encoder"), decoder: part("decoder"), zeros: { values: new Float64Array(hidden) } };
  });
  const row = ({ shape: [, width], values }, k) => values.subarray(k * width, (k + 1) * width);
  const step = (net, x, h) => GM.gruStep(net, GM.affine(net.weight_ih, x, net.bias_ih), h).h;
  const dot = (a, b) => a.reduce((sum, value, k) => sum + value * b[k], 0);

  function softmax(values) {
    const most = Math.max(...values), shares = [...values].map((value) => Math.exp(value - most));
    const sum = shares.reduce((a, b) => a + b, 0);
    return shares.map((share) => share / sum);
  }
  function logSoftmax(values) {
    const most = Math.max(...values), log = Math.log(values.reduce((sum, value) => sum + Math.exp(value - most), 0));
    return [...values].map((value) => value - most - log);
  }

  // The encoder's states, one for each digit, and what the decoder compares its own with.
  function encode(model, digits) {
    let h = new Float64Array(model.hidden);
    const seen = [...digits].map((digit) => h = step(model.encoder, row(model.source, Number(digit) + 1), h));
    return { seen, keys: seen.map((state) => GM.affine(model.scores, state, model.zeros)), last: h };
  }

  // One step of the decoder: log probabilities of every symbol, and where it looks.
  function speak(model, { seen, keys }, before, state) {
    const h = step(model.decoder, row(model.target, before), state);
    const weights = softmax(keys.map((key) => dot(h, key)));
    const mean = h.map((_, i) => weights.reduce((sum, weight, j) => sum + weight * seen[j][i], 0));
    const mixed = GM.affine(model.mix_weight, [...h, ...mean], model.mix_bias).map(Math.tanh);
    return { h, weights, logs: logSoftmax(GM.affine(model.readout_weight, mixed, model.readout_bias)) };
  }

  /** What is said, the likeliest symbol at every step: `symbol`, `weights` over the digits, `logs`. */
  function greedy(data, digits) {
    const model = modelOf(data), encoded = encode(model, digits), steps = [];
    let symbol = START, h = encoded.last;
    while (symbol !== END && steps.length < data.longest) {
      const at = speak(model, encoded, symbol, h);
      symbol = at.logs.indexOf(Math.max(...at.logs));
      h = at.h;
      steps.push({ symbol, ...at });
    }
    return steps;
  }

  /** The beam after every step: the four best beginnings, each with its symbols and its sum. */
  function beam(data, digits) {
    const model = modelOf(data), encoded = encode(model, digits), steps = [];
    let kept = [{ symbols: [], sum: 0, h: encoded.last }];
    do {
      const next = kept.flatMap((one) => {
        const last = one.symbols.at(-1) ?? START;
        if (last === END || last === PAD) return [{ ...one, symbols: [...one.symbols, PAD] }];
        const { h, logs } = speak(model, encoded, last, one.h);
        return logs.map((log, symbol) => ({ symbols: [...one.symbols, symbol], sum: one.sum + log, h }));
      });
      kept = next.sort((a, b) => b.sum - a.sum).slice(0, WIDTH);
      steps.push(kept.map(({ symbols, sum }) => ({ symbols, sum })));
    } while (steps.length < data.longest && kept.some(({ symbols }) => ![END, PAD].includes(symbols.at(-1))));
    return steps;
  }

  // The right words, as experiments/translation.py makes them.
  const UNITS = "null ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf".split(" ");
  const SHORT = { 2: "zwan", 6: "sech", 7: "sieb" };
  function belowHundred(number) {
    const tens = Math.floor(number / 10), ones = number % 10;
    if (number < UNITS.length) return UNITS[number];
    if (tens === 1) return `${SHORT[ones] ?? UNITS[ones]}zehn`;
    return (ones ? `${UNITS[ones]}und` : "") + (SHORT[tens] ?? UNITS[tens]) + (tens === 3 ? "ßig" : "zig");
  }
  function belowThousand(number) {
    const hundreds = Math.floor(number / 100), rest = number % 100;
    return (hundreds ? `${UNITS[hundreds]}hundert` : "") + (rest ? rest === 1 && hundreds ? "eins" : belowHundred(rest) : "");
  }
  /** A number from 0 to 999,999,999 in German words. */
  function german(number) {
    if (number === 0) return UNITS[0];
    const millions = Math.floor(number / 1e6), thousands = Math.floor(number / 1000) % 1000, last = number % 1000;
    const words = (thousands ? `${belowThousand(thousands)}tausend` : "") + (last === 1 ? "eins" : last ? belowThousand(last) : "");
    if (!millions) return words;
    return `${millions === 1 ? "eine Million" : `${belowThousand(millions)} Millionen`} ${words}`.trim();
  }

  class GMTranslate extends GM.Live {
    begin() {
      const id = `gm-translate-${document.querySelectorAll("gm-translate input").length}`;
      this.field = html("input", { id, inputmode: "numeric", maxlength: MOST, autocomplete: "off", input: () => this.read() });
      this.field.value = this.getAttribute("number") ?? this.data.examples[0];
      this.examples = GM.choice("Example", ["Choose one", ...this.data.examples],
        (k) => k && this.put(this.data.examples[k - 1]));
      this.words = html("div", { class: "said", lang: "de" });
      this.map = svg("svg", { class: "gm-drawing", "aria-hidden": "true" });
      this.list = html("ol");
      this.mean = html("b");
      this.slider = GM.range({ name: "pieces", label: "Pieces said", min: 0, max: 1, step: 1, shown: String },
        (at) => { this.stop(); this.show(at); });
      this.saying = GM.button("Say it", () => this.say());
      this.append(
        html("div", { class: "ask" }, html("label", { for: id }, html("b", {}, "A number"), this.field), this.examples.row),
        this.words,
        html("div", { class: "gm-controls" }, this.slider.row),
        html("div", { class: "gm-row" }, this.saying, GM.button("One piece on", () => this.move(1)),
          GM.button("One back", () => this.move(-1))),
        html("div", { class: "parts" },
          html("div", {}, html("b", {}, "Where it looks"), html("div", { class: "map" }, this.map)),
          html("div", {}, this.mean, this.list)),
        ...this.status.lines);
      this.read(true);
    }

    get digits() { return this.field.value; }

    put(text) {
      this.field.value = text;
      this.read();
    }

    // A new number; nothing but digits is kept of what was typed, and no zero before others.
    read(whole = false) {
      this.stop();
      const digits = this.field.value.replace(/\D/g, "").replace(/^0+(?=\d)/, "").slice(0, MOST);
      if (digits !== this.field.value) this.field.value = digits;
      this.examples.select.value = 1 + this.data.examples.indexOf(digits);
      this.steps = digits ? greedy(this.data, digits) : [];
      this.beams = digits ? beam(this.data, digits) : [];
      this.slider.input.max = this.steps.length;
      this.show(whole === true || digits ? this.steps.length : 0);
    }

    piece(symbol) { return symbol === END ? "end" : this.data.spoken[symbol - FIRST] ?? ""; }

    // A space stands only around the millions.
    joined(symbols) {
      return symbols.filter((symbol) => symbol >= FIRST).map((symbol) => this.piece(symbol)).join("")
        .replace(/Million(en)?/g, " $& ").trim();
    }

    show(at) {
      this.at = at = Math.max(0, Math.min(at, this.steps.length));
      this.slider.show(at);
      const said = this.steps.slice(0, at), last = said.at(-1);
      this.words.replaceChildren(...(at ? [html("span", {}, this.joined(said.slice(0, -1).map(({ symbol }) => symbol))),
        html("b", {}, last.symbol === END ? "." : this.piece(last.symbol))] : [html("span", {}, "…")]));
      this.draw(said);
      const kept = this.beams[Math.min(at, this.beams.length) - 1] ?? [];
      this.mean.textContent = at ? `The beam after ${at === 1 ? "one piece" : `${at} pieces`}` : "The beam";
      const mine = said.map(({ symbol }) => symbol).join();
      this.list.replaceChildren(...kept.map(({ symbols, sum }) => html("li", { class: symbols.filter((s) => s !== PAD).join() === mine && "same" },
        html("div", { lang: "de" }, `${this.joined(symbols) || "…"}${symbols.includes(END) ? "." : ""}`), html("span", {}, percent(Math.exp(sum))))));
      this.status.say(this.sentence(said));
    }

    sentence(said) {
      if (!this.digits) return `Type a number of up to ${MOST} digits; up to ${this.data.digits} were trained.`;
      const last = said.at(-1);
      if (!last) return "Nothing is said yet.";
      if (said.length < this.steps.length || last.symbol !== END) {
        const most = last.weights.indexOf(Math.max(...last.weights));
        return `“${this.piece(last.symbol)}”, ${percent(Math.exp(last.logs[last.symbol]))} sure, looking at the ` +
          `${["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"][most]} digit, ` +
          `${this.digits[most]} (${percent(last.weights[most])}).`;
      }
      const right = german(Number(this.digits)), mine = this.joined(said.map(({ symbol }) => symbol));
      if (mine === right) return "Right, to the letter.";
      return `Wrong: the number is called ${right}.${this.digits.length > this.data.digits ? ` No number of more than ${this.data.digits} digits was trained.` : ""}`;
    }

    // A row for each piece that was said, a column for each digit, darker where it looks more.
    draw(said) {
      const digits = [...this.digits], width = 100 / Math.max(digits.length, 1);
      this.map.setAttribute("height", TOP + ROW * Math.max(this.steps.length, 1));
      this.map.replaceChildren(
        ...digits.map((digit, k) => svg("text", { x: px(width * (k + 0.5)), y: 17, "text-anchor": "middle", "font-weight": 600 }, digit)),
        ...said.flatMap(({ symbol, weights }, r) => [
          svg("text", { x: -8, y: TOP + ROW * (r + 0.5) + 4, "text-anchor": "end", lang: "de", ...fill(r === said.length - 1 ? "gru" : "ink") }, this.piece(symbol)),
          ...weights.map((weight, k) => svg("rect", { x: px(width * k + 0.4), width: px(width - 0.8), y: TOP + ROW * r + 1, height: ROW - 2, rx: 3,
            ...fill("gru", 0.04 + 0.9 * weight) })),
        ]));
    }

    move(by) {
      this.stop();
      this.show(this.at + by);
    }

    // Piece by piece, or at once where a reader wants no motion.
    say() {
      this.stop();
      if (matchMedia("(prefers-reduced-motion: reduce)").matches) return this.show(this.steps.length);
      this.show(0);
      this.timer = setInterval(() => {
        this.show(this.at + 1);
        if (this.at >= this.steps.length || !this.isConnected) this.stop();
      }, 450);
    }

    stop() {
      clearInterval(this.timer);
      this.timer = 0;
    }
  }

  Object.assign(GMTranslate, { greedy, beam, german });
  GM.define("gm-translate", GMTranslate, STYLE);
})();
