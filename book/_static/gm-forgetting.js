// <gm-forgetting>: how far back the gradient of a vanilla RNN reaches, beside its bound, for two starts,
// by the scale of the recurrent weights and the number of layers.
//
// Inside the element stand the weights and a drawing of one setting, which the script redraws; both are
// made by autograder/course/diagrams/forgetting_figure.py. Matrices are flat arrays here, of H rows and
// H columns. Needs gm-elements.js before it.
(() => {
  const { html, svg, pen, px, written, ...GM } = window.GM;

  /** A (H, H) times B (H, M). */
  function times(A, B, H, M = H) {
    const out = new Float64Array(H * M);
    for (let i = 0; i < H; i++) for (let k = 0; k < H; k++) for (let j = 0; j < M; j++) out[i * M + j] += A[i * H + k] * B[k * M + j];
    return out;
  }

  // The largest singular value: the square root of the largest eigenvalue of A'A, which outgrows all
  // others as the matrix is squared again and again, and is soon alone.
  function norm(A, H) {
    const T = A.map((_, k) => A[k % H * H + Math.floor(k / H)]);
    let M = times(T, A, H), log = 0;
    for (let share = 1; share > 1e-7; share /= 2) {
      let trace = 0;
      for (let i = 0; i < H; i++) trace += M[i * H + i];
      if (!trace) return 0;
      log += share * Math.log(trace);
      if (share < 1 && trace > 1 - 1e-14) break;
      M = M.map((value) => value / trace);
      M = times(M, M, H);
    }
    return Math.exp(log / 2);
  }

  const netsOf = GM.once(({ weights, grid, units: H, layers, steps }) => {
    const bytes = Uint8Array.from(atob(weights), (letter) => letter.charCodeAt(0));
    const all = Float64Array.from(new Int16Array(bytes.buffer), (whole) => whole * grid);
    let from = 0;
    const next = (count) => all.subarray(from, from += count);
    const xs = next(steps);
    const starts = Array.from({ length: 2 }, () => Array.from({ length: layers }, (_, layer) =>
      ({ W_hh: next(H * H), W_ih: next(layer ? H * H : H), b: next(H) })));
    for (const layer of starts.flat()) Object.assign(layer, { hh: norm(layer.W_hh, H), ih: layer.W_ih.length > H && norm(layer.W_ih, H) });
    return { xs, starts };
  });

  /** Gradient norms and bounds for all lags, from `start` (a number), `scale` and `depth`. */
  function forgetting(data, { start, scale, depth }) {
    const { xs, starts } = netsOf(data), { units: H, steps } = data, eye = Float64Array.from({ length: H * H }, (_, k) => k % (H + 1) ? 0 : 1);
    const layers = starts[start].slice(0, depth).map((layer) => ({ ...layer, W_hh: layer.W_hh.map((w) => scale * w), hh: scale * layer.hh }));
    let below = Array.from(xs, (x) => Float64Array.of(x));
    const states = layers.map(({ W_hh, W_ih, b }) => {
      let h = new Float64Array(H);
      return below = below.map((x) => {
        const read = times(W_hh, h, H, 1);
        return h = b.map((bias, i) => x.reduce((sum, value, k) => sum + W_ih[i * x.length + k] * value, bias + read[i])).map(Math.tanh);
      });
    });
    // Back from the last state of the top layer: what each layer gets from its own next step, and from
    // the layer above at the same step.
    const back = layers.map(() => new Float64Array(H * H)), ways = layers.map(() => 0), norms = [], bounds = [];
    const through = (A, h, W) => times(A.map((value, k) => value * (1 - h[k % H] ** 2)), W, H);
    for (let t = steps - 1; t >= 0; t--) {
      for (let n = depth - 1; n >= 0; n--) {
        if (t < steps - 1) {
          back[n] = through(back[n], states[n][t + 1], layers[n].W_hh);
          ways[n] *= layers[n].hh;
        } else if (n === depth - 1) [back[n], ways[n]] = [eye, 1];
        if (n < depth - 1) {
          const down = through(back[n + 1], states[n + 1][t], layers[n + 1].W_ih);
          back[n] = back[n].map((value, k) => value + down[k]);
          ways[n] += layers[n + 1].ih * ways[n + 1];
        }
      }
      norms.push(norm(back[0], H));
      bounds.push(ways[0]);
    }
    return { norms, bounds, largest: Math.max(...layers.map(({ hh }) => hh)) };
  }

  function power(value) {
    if (!value) return "0";
    const ten = Math.floor(Math.log10(value));
    return ten > -3 && ten < 3 ? String(Number(value.toPrecision(2)))
      : `10${[..."" + Math.round(Math.log10(value))].map((sign) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(sign)]).join("")}`;
  }

  class Forgetting extends GM.Live {
    // The lines of the axis stay; the curves are drawn anew.
    begin() {
      this.curves = this.plot.querySelector("svg");
      this.plot.setAttribute("aria-label", this.plot.querySelector("title").textContent.split(".", 1));
      this.plot.querySelector("title").remove();
      this.state = { ...this.data.start };
      const change = (name) => (value) => {
        this.state[name] = value;
        this.draw();
      };
      this.kind = GM.choice("Start", ["orthogonal", "PyTorch\u2019s"], change("start"));
      this.ranges = {
        scale: GM.range({ name: "scale", label: "Scale of the recurrent weights", min: 0.2, max: 3, step: 0.05, shown: (v) => written(v, 2) }, change("scale")),
        depth: GM.range({ name: "depth", label: "Layers", min: 1, max: this.data.layers, step: 1, shown: (v) => written(v, 0) }, change("depth")),
      };
      this.append(this.plot, html("div", { class: "gm-row" }, this.kind.row, GM.button("Start again", () => {
        this.state = { ...this.data.start };
        this.draw();
      }, { class: "gm-end" })), html("div", { class: "gm-controls" }, this.ranges.scale.row, this.ranges.depth.row), ...this.status.lines);
      this.draw();
    }

    draw() {
      const { norms, bounds, largest } = forgetting(this.data, this.state), [low, high, , tall] = this.data.plot, last = norms.length - 1;
      const line = (values, stroke) => svg("polyline", { fill: "none", "vector-effect": "non-scaling-stroke", ...stroke,
        points: values.map((value, lag) => `${lag},${(tall * (high - Math.log10(Math.max(value, 1e-300))) / (high - low)).toFixed(3)}`).join(" ") });
      this.curves.replaceChildren(line(bounds, pen("muted", 2, "6 4")), line(norms, pen("rnn", 2)));
      for (const [name, { show }] of Object.entries(this.ranges)) show(this.state[name]);
      this.kind.select.value = this.state.start;
      const [norm, bound] = [norms, bounds].map((values) => values[last]), rate = (norm / norms[20]) ** (1 / (last - 20));
      this.status.say(`At lag ${last} the gradient norm is ${power(norm)}, a factor of ${written(rate)} a step. ` +
        `The largest singular value is ${written(largest)}, the bound ${power(bound)}: ` +
        (largest < 0.9995 ? "below 1 the gradient must vanish." : norm > 10 ? "above 1 it may explode, and here it does."
          : norm < 0.01 ? "it promises nothing, and the gradient vanishes all the same." : "it promises nothing, and here the norm hardly changes."));
    }
  }

  Forgetting.forgetting = forgetting;
  GM.define("gm-forgetting", Forgetting, "gm-forgetting.gm-live { max-width: 560px; --gm-gru: var(--gm-rnn); }");
})();
