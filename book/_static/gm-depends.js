// <gm-depends>: which earlier characters a prediction depends on, in a trained RNN, LSTM and GRU.
//
// Inside the element stand its data, as JSON, and one passage, which the script draws anew;
// experiments/live_depends.py says what both are. Needs gm-elements.js before it.
(() => {
  const { html, svg, written, ...GM } = window.GM;
  const NAMES = { rnn: "RNN", lstm: "LSTM", gru: "GRU" }, DASH = { rnn: "2 4", lstm: "7 4", gru: "none" };
  const DECADES = 6, PLOT = 150; // of the logarithmic scales; pixels
  const array = (size) => new Float64Array(size);

  // What is added to by rows from..from + da.length of a weight (N, M): da (n,) times them, (M,).
  function back({ shape: [, columns], values }, da, out = array(columns)) {
    da.forEach((d, row) => { for (let j = 0; j < columns; j++) out[j] += d * values[row * columns + j]; });
    return out;
  }

  // A step of each family, as PyTorch has it: `a` is what the input brings, `b` what the state does.
  // And a step back: gradients at the weighted sums, on the side of the input and of the state, from those
  // at the new state, and what of them goes to the old one past all weights.
  const CELLS = {
    rnn: {
      step: (a, b) => ({ h: a.map((value, i) => Math.tanh(value + b[i])) }),
      back: ({ h }, old, dh) => ({ da: dh.map((d, i) => d * (1 - h[i] ** 2)), dh: array(h.length) }),
    },
    lstm: { // rows i, f, g, o
      step(a, b, old) {
        const size = old.h.length, at = (k, of) => array(size).map((_, j) => of(a[k * size + j] + b[k * size + j]));
        const [i, f, g, o] = [at(0, GM.sigmoid), at(1, GM.sigmoid), at(2, Math.tanh), at(3, GM.sigmoid)];
        const c = old.c.map((value, j) => f[j] * value + i[j] * g[j]);
        return { i, f, g, o, c, h: c.map((value, j) => o[j] * Math.tanh(value)) };
      },
      back({ i, f, g, o, c }, old, dh, dc) {
        const size = c.length, da = array(4 * size), handed = array(size);
        for (let j = 0; j < size; j++) {
          const t = Math.tanh(c[j]), d = dc[j] + dh[j] * o[j] * (1 - t * t);
          da[j] = d * g[j] * i[j] * (1 - i[j]);
          da[size + j] = d * old.c[j] * f[j] * (1 - f[j]);
          da[2 * size + j] = d * i[j] * (1 - g[j] ** 2);
          da[3 * size + j] = dh[j] * t * o[j] * (1 - o[j]);
          handed[j] = d * f[j];
        }
        return { da, dh: array(size), dc: handed };
      },
    },
    gru: { // rows r, z, n; z near 1 keeps
      step(a, b, old) {
        const size = old.h.length, at = (k) => array(size).map((_, j) => GM.sigmoid(a[k * size + j] + b[k * size + j]));
        const r = at(0), z = at(1), s = b.slice(2 * size), n = r.map((gate, j) => Math.tanh(a[2 * size + j] + gate * s[j]));
        return { r, z, s, n, h: n.map((value, j) => (1 - z[j]) * value + z[j] * old.h[j]) };
      },
      back({ r, z, s, n }, old, dh) {
        const size = r.length, da = array(3 * size), db = array(3 * size);
        for (let j = 0; j < size; j++) {
          const dn = dh[j] * (1 - z[j]) * (1 - n[j] ** 2);
          da[j] = db[j] = dn * s[j] * r[j] * (1 - r[j]);
          da[size + j] = db[size + j] = dh[j] * (old.h[j] - n[j]) * z[j] * (1 - z[j]);
          da[2 * size + j] = dn;
          db[2 * size + j] = dn * r[j];
        }
        return { da, db, dh: dh.map((d, j) => d * z[j]) };
      },
    },
  };

  const modelsOf = GM.once((data) => Object.entries(data.nets).map(([family, arrays]) => {
    const net = GM.decodeAll(arrays), { shape: [, width], values } = net.embedding, inputs = [];
    const input = (k) => inputs[k] ??= GM.affine(net.weight_ih, values.subarray(k * width, (k + 1) * width), net.bias_ih);
    return { family, net, input, cell: CELLS[family] };
  }));

  // The norms of the gradient of one log probability, (at,), and the probabilities, (V,). `output` is the number of a
  // character; without one it is the likeliest.
  function sensitivity({ net, input, cell }, numbers, output) {
    const size = net.weight_hh.shape[1], states = [{ h: array(size), c: array(size) }];
    for (const k of numbers) states.push(cell.step(input(k), GM.affine(net.weight_hh, states.at(-1).h, net.bias_hh), states.at(-1)));
    const logits = GM.affine(net.readout_weight, states.at(-1).h, net.readout_bias);
    const most = Math.max(...logits), sum = logits.reduce((total, value) => total + Math.exp(value - most), 0);
    const probabilities = logits.map((value) => Math.exp(value - most) / sum);
    const chosen = output ?? probabilities.indexOf(Math.max(...probabilities));
    let dh = back(net.readout_weight, probabilities.map((p, k) => (k === chosen) - p)), dc = array(size);
    const norms = array(numbers.length);
    for (let t = numbers.length; t > 0; t--) {
      const step = cell.back(states[t], states[t - 1], dh, dc);
      norms[t - 1] = Math.hypot(...back(net.weight_ih, step.da));
      dh = back(net.weight_hh, step.db ?? step.da, step.dh);
      dc = step.dc;
    }
    return { norms, probabilities, chosen };
  }

  const total = (norms) => norms.reduce((sum, norm) => sum + norm, 0);

  // How many of the last characters have half of the sum.
  function halfWithin(norms) {
    const wanted = total(norms) / 2;
    let k = 0;
    for (let sum = 0; wanted > 0 && sum < wanted; k++) sum += norms[norms.length - 1 - k];
    return k;
  }

  /** By family, what the nets make of the place `at` of a text; `first` asks for their first guess instead. */
  function read(data, text, at, first = false) {
    const numbers = [...text].map((character) => data.alphabet.indexOf(character));
    return modelsOf(data).map((model) => {
      const found = sensitivity(model, numbers.slice(0, at), first ? undefined : numbers[at]);
      return { family: model.family, first, ...found, half: halfWithin(found.norms), here: numbers[at] };
    });
  }

  const shown = (character) => character === "\n" ? "\u21b5" : character;
  const named = (character) => ({ " ": "space", "\n": "line break", '"': "quotation mark" })[character] ?? `\u201c${character}\u201d`;
  const percent = (share) => share >= 0.005 ? GM.percent(share) : "<\u00a01\u00a0%";
  const px = (value) => String(Number(value.toFixed(3)));
  // A share of something on a scale of decades: 1 at the top, 0 at its foot.
  const decades = (share) => 1 + Math.log10(Math.max(share, 1e-99)) / DECADES;

  function net({ family, norms, probabilities, here, chosen, first: guessed }, { alphabet }, text, at, log) {
    const first = [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a]).slice(0, 3);
    const worth = (k) => `${named(alphabet[k])} ${percent(probabilities[k])}`;
    const most = Math.max(...norms) || 1, value = (share) => log ? Math.max(decades(share), 0) : share;
    return html("div", { class: "net", style: `--c:var(--gm-${family})` },
      html("div", { class: "who" }, html("b", {}, NAMES[family]),
        svg("svg", { "aria-hidden": "true" }, svg("line", { x2: 30, y1: 4, y2: 4, stroke: "var(--c)", "stroke-width": 2, "stroke-dasharray": DASH[family] })),
        html("span", {}, guessed ? `gradient of its first guess, ${named(alphabet[chosen])}` : `${named(text[at])} has ${percent(probabilities[here])}`),
        html("span", {}, `first guesses: ${first.map(worth).join(", ")}`)),
      html("div", { class: "text" }, ...[...text].map((character, k) =>
        html("i", { style: `--v:${k < at ? px(value(norms[k] / most)) : 0}`, class: k === at && "at" }, shown(character)))));
  }

  function line({ family, norms, half }, longest) {
    const sum = total(norms) || 1, pen = { ...GM.pen(family, 2, DASH[family]), "vector-effect": "non-scaling-stroke", fill: "none" };
    const y = [...norms].reverse().map((norm) => px(PLOT * (1 - decades(norm / sum))));
    return [
      svg("svg", { width: "100%", height: PLOT, viewBox: `0 0 ${longest - 1} ${PLOT}`, preserveAspectRatio: "none" },
        svg("polyline", { points: y.map((value, k) => `${k + 0.5},${value}`).join(" "), ...pen })),
      half > 0 && svg("circle", { cx: `${px(100 * (half - 0.5) / (longest - 1))}%`, cy: y[half - 1], r: 5, ...GM.fill(family), ...GM.pen("paper", 1.5) }),
    ];
  }

  function lags(found, longest) {
    const rows = ["100 %", "1 %", "0.01 %", "0.0001 %"].flatMap((label, k) => {
      const y = PLOT * k / 3;
      return [svg("line", { x2: "100%", y1: y, y2: y, ...GM.pen("line") }), svg("text", { x: "100%", y: y - 4, "text-anchor": "end" }, label)];
    });
    const columns = [1, 8, 16, 24, 32, 40, 48, 56, 64].map((lag) =>
      svg("text", { x: `${lag < longest - 1 ? px(100 * (lag - 0.5) / (longest - 1)) : 100}%`, y: PLOT + 16, "text-anchor": lag < longest - 1 ? "middle" : "end" }, lag));
    return svg("svg", { class: "lags", "aria-hidden": "true" }, svg("svg", { y: 22, overflow: "visible" }, ...rows, ...columns,
      ...found.flatMap((read) => line(read, longest)), svg("text", { y: -6 }, "share of the sum"), svg("text", { y: PLOT + 34 }, "characters back")));
  }

  // "3 for the RNN, 2 for the LSTM and 3 for the GRU"
  const each = (found, of) => found.map((one, k) => `${["", ", ", " and "][k]}${of(one)} for the ${NAMES[one.family]}`).join("");

  function sentence(found, text) {
    const most = ({ norms }) => named(text[norms.indexOf(Math.max(...norms))]), [first] = found;
    const far = found.every((one) => most(one) === most(first)) ? `${most(first)} for all three` : each(found, most);
    return `Half of the sensitivity lies on the last ${each(found, ({ half }) => half).replace(" for", `${first.half === 1 ? " character" : " characters"} for`)}. The largest gradient is on ${far}.`;
  }

  class GMDepends extends GM.Live {
    static room = [1097, 752];

    begin() {
      this.querySelector(".drawn").remove();
      const { passages, longest } = this.data, id = `gm-depends-${document.querySelectorAll("gm-depends textarea").length}`;
      this.passages = GM.choice("Passage", [...passages.map(({ title }) => title), "your own"], (number) => this.take(passages[number]));
      this.field = html("textarea", { id, rows: 2, maxlength: longest, spellcheck: "false", input: () => this.type() });
      this.place = GM.range({ name: "place", label: "Predicted character", min: 1, max: longest - 1, step: 1,
        shown: (at) => `${this.text?.[at] ? named(this.text[at]) : ""}, ${at + 1} of ${this.text?.length}` }, (at) => this.point(at));
      this.outputs = GM.choice("Gradient of", ["what stands there", "each net\u2019s first guess"], () => this.draw());
      this.scale = GM.button("Logarithmic", () => this.toggle(), { "aria-pressed": "false" });
      this.drawn = html("div", { class: "drawn", "aria-hidden": "true", pointerdown: (event) => this.touch(event),
        pointermove: (event) => event.buttons && this.touch(event) });
      this.note = html("div", { class: "gm-note" });
      this.append(html("div", { class: "gm-row" }, this.passages.row, this.outputs.row, this.scale),
        html("label", { for: id, class: "own" }, `Or write your own, up to ${longest} characters:`), this.field, this.note, this.place.row, this.drawn, ...this.status.lines);
      this.take(passages[this.getAttribute("passage") ?? 0]);
    }

    // A passage of the book, or with none the place to write one.
    take(passage) {
      if (!passage) return this.field.focus();
      this.field.value = passage.text;
      this.type(passage.at);
    }

    type(at) {
      const { passages, alphabet, longest } = this.data, written = [...this.field.value];
      const strange = [...new Set(written.filter((character) => !alphabet.includes(character)))];
      this.text = written.filter((character) => alphabet.includes(character)).slice(0, longest).join("");
      this.note.textContent = strange.length ? `Left out, since the nets never saw ${strange.length > 1 ? "them" : "it"}: ${strange.join(" ")}` : "";
      const number = passages.findIndex(({ text }) => text === this.text);
      this.passages.select.value = number < 0 ? passages.length : number;
      this.place.input.max = Math.max(this.text.length - 1, 1);
      this.point(at ?? this.text.length - 1);
    }

    point(at) {
      this.at = Math.max(1, Math.min(at, this.text.length - 1));
      this.draw();
    }

    touch(event) {
      const cell = document.elementFromPoint(event.clientX, event.clientY)?.closest("gm-depends i");
      if (!cell || !this.contains(cell)) return;
      this.point([...cell.parentNode.children].indexOf(cell));
      this.place.input.focus({ preventScroll: true });
      event.preventDefault();
    }

    toggle() {
      this.log = !this.log;
      this.scale.setAttribute("aria-pressed", this.log);
      this.draw();
    }

    draw() {
      const { text, at, data } = this;
      this.place.show(at);
      if (text.length < 2) {
        this.drawn.replaceChildren();
        return this.status.say("Write two characters at least: one to read, and one to predict.");
      }
      const found = read(data, text, at, this.outputs.select.value === "1");
      this.drawn.replaceChildren(...found.map((each) => net(each, data, text, at, this.log)), lags(found, data.longest));
      this.status.say(sentence(found, text));
    }
  }

  GMDepends.read = read;
  GM.define("gm-depends", GMDepends, "");
})();
