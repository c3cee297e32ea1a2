// <gm-lstm-cell>: an LSTM, step by step through a sequence that the reader draws, each gate computed or
// held by hand. Equations and names are those of autograder/course/reference.py.
// Needs gm-elements.js and gm-sequence.js before it.
(() => {
  const { html, sums, sigmoid, written, percent, ...GM } = window.GM;
  const GATES = { f: "Forget gate <i>f</i>", i: "Input gate <i>i</i>", o: "Output gate <i>o</i>" };

  /** Every step's x (D,) and h_prev, c_prev, f, i, o, candidate, c and h (H,), of xs (T, D), h0 and c0
      (H,); `held` has the gates that are not computed, by their letters. */
  function run(p, xs, h0, c0, held = {}) {
    let h_prev = h0, c_prev = c0;
    return xs.map((x) => {
      const row = [...h_prev, ...x], weighed = (name) => sums(p[`W_${name}`], row, p[`b_${name}`]);
      const [f, i, o] = ["f", "i", "o"].map((name) => weighed(name).map((a) => held[name] ?? sigmoid(a)));
      const candidate = weighed("c").map(Math.tanh), c = candidate.map((value, k) => f[k] * c_prev[k] + i[k] * value);
      const h = c.map((value, k) => o[k] * Math.tanh(value));
      const values = { x, h_prev, c_prev, f, i, o, candidate, c, h };
      h_prev = h;
      c_prev = c;
      return values;
    });
  }

  class LSTMCell extends GM.Sequence {
    controls() {
      const gates = Object.entries(GATES).map(([name, label]) => {
        const row = this.slider(name, label, 0, 1, (_, now) => now[name], (value) => this.hold(name, value), 0.01, (value) => written(value));
        const box = html("input", { type: "checkbox", name: `hold-${name}`,
          change: () => this.set(this.hold(name, box.checked ? Number(row.querySelector("input").value) : undefined)) });
        (this.boxes ??= {})[name] = box;
        return html("div", {}, row, html("label", { class: "gm-check" }, box, "held at this value"));
      });
      return [this.slider("c0", "Start <i>c</i><sub>0</sub>", -2, 2, (s) => s.c0[0], (value) => ({ c0: [value] })), ...gates];
    }

    hold(name, value) { return { held: { ...this.state.held, [name]: value } }; }

    run(s) {
      const rows = run(s, s.xs.map((x) => [x]), s.h0, s.c0, s.held);
      return { rows: rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, [value]]) => [name, value]))) };
    }

    shares(now) { return now; }

    sentence({ f, i, o, c_prev, c, h }) {
      const { held = {}, at, c0: [first] } = this.state;
      for (const [name, box] of Object.entries(this.boxes)) box.checked = held[name] !== undefined;
      if (held.f === 1 && held.i === 0) return "Forget gate at 1, input gate at 0: the cell state stays " +
        `${written(first)} at every step, whatever is read. The output gate shows ${percent(o)} of its tanh.`;
      return `Step ${at + 1}: ${percent(f)} of ${written(c_prev)} stays, ${percent(i)} of the candidate is added; the cell state is ` +
        `${written(c)}. The output gate shows ${percent(o)} of its tanh: ${written(h)}.`;
    }
  }

  LSTMCell.run = run;
  GM.define("gm-lstm-cell", LSTMCell, "gm-lstm-cell { --gm-gru: var(--gm-lstm); }");
})();
