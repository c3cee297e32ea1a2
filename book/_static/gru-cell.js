// <gm-gru-cell>: a GRU on any of its four conventions, step by step through a sequence that the reader
// draws. Equations and names are those of autograder/course/reference.py: as the page opens, z near 1
// takes the candidate and r acts before the matrix product. Needs gm-elements.js and gm-sequence.js.
(() => {
  const { sums, sigmoid, written, percent, ...GM } = window.GM;
  const UPDATES = ["replace", "keep"], RESETS = ["before", "after"];

  /** Every step's x (D,) and h_prev, z, r, candidate and h (H,), of xs (T, D) and h0 (H,). */
  function run(p, xs, h0, update, reset) {
    let h_prev = h0;
    return xs.map((x) => {
      const row = [...h_prev, ...x], gate = (name) => sums(p[`W_${name}`], row, p[`b_${name}`]).map(sigmoid);
      const z = gate("z"), r = gate("r"), after = reset === "after";
      const recurrent = sums(p.W_h, after ? h_prev : h_prev.map((value, i) => r[i] * value), after && p.b_hn);
      const read = sums(p.W_h.map((weights) => weights.slice(h0.length)), x, p.b_h);
      const candidate = read.map((value, i) => Math.tanh(value + (after ? r[i] : 1) * recurrent[i]));
      const h = candidate.map((value, i) => {
        const take = update === "keep" ? 1 - z[i] : z[i];
        return (1 - take) * h_prev[i] + take * value;
      });
      const values = { x, h_prev, z, r, candidate, h };
      h_prev = h;
      return values;
    });
  }

  const flipped = (p) => ({ ...p, W_z: p.W_z.map((row) => row.map((w) => -w)), b_z: p.b_z.map((b) => -b) });
  const both = (value) => [value, value];

  class GRUCell extends GM.Sequence {
    controls() {
      return [["h0", "Start <i>h</i><sub>0</sub>", 1], ["b_z", "Update bias <i>b<sub>z</sub></i>", 6], ["b_r", "Reset bias <i>b<sub>r</sub></i>", 6]]
        .map(([name, label, most]) => this.slider(name, label, -most, most, (s) => s[name][0], (value) => ({ [name]: both(value) })));
    }

    more() {
      const choice = (name, label, options) => {
        const { row, select } = GM.choice(label, options, (number) => this.set({ [name]: number }));
        (this.selects ??= {})[name] = select;
        return row;
      };
      this.flip = GM.button("", () => this.set({ ...flipped(this.state), turned: !this.state.turned }));
      this.flip.innerHTML = "Change the sign of <i>W<sub>z</sub></i> and <i>b<sub>z</sub></i>";
      return [GM.html("div", { class: "gm-row" },
        choice("update", "z near 1", ["takes the candidate", "keeps the old state"]),
        choice("reset", "r acts", ["before the matrix product", "after the matrix product"]),
        choice("unit", "Unit", ["1", "2"]), this.flip)];
    }

    run(s) {
      const { update = 0, reset = 0, unit = 0, turned } = s, xs = s.xs.map((x) => [x]);
      const of = (rows) => rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, of]) => [name, of[unit] ?? of[0]])));
      const house = (p, way) => of(run(turned ? flipped(p) : p, xs, s.h0, "replace", way));
      const rows = of(run(s, xs, s.h0, UPDATES[update], RESETS[reset]));
      this.apart = (way) => Math.max(...house(s, way).map(({ h }, t) => Math.abs(h - rows[t].h)));
      return { rows, other: (update || reset || turned) && house(s, "before").map(({ h, candidate }) => ({ h, candidate })) };
    }

    shares({ z, r }) {
      const take = this.state.update ? 1 - z : z;
      return { keep: 1 - take, take, r };
    }

    sentence(now) {
      const { update = 0, reset = 0, unit = 0, turned = false, at } = this.state, { keep, take, r } = this.shares(now);
      for (const [name, select] of Object.entries(this.selects)) select.value = this.state[name] ?? 0;
      this.flip.setAttribute("aria-pressed", turned);
      for (const part of this.querySelectorAll("[data-when]")) {
        part.style.display = [UPDATES[update], RESETS[reset]].includes(part.dataset.when) ? "" : "none";
      }
      const step = `Step ${at + 1}, unit ${unit + 1}: the new state is ${percent(keep)} old state and ${percent(take)} candidate; ` +
        `${written(now.h_prev)} becomes ${written(now.h)}. `;
      if (Boolean(update) !== turned) return `${step}The same W_z and b_z in the other convention are another net: change their sign.`;
      const gap = written(this.apart("before"));
      if (reset) return `${step}After is not before: no weights make up for it, and the states are up to ${gap} apart.`;
      return step + (update ? "Keep is take in disguise: with W_z and b_z of the other sign, every curve but z\u2019s is the same."
        : `The candidate sees ${percent(r)} of the old state.`);
    }
  }

  GRUCell.run = run;
  GM.define("gm-gru-cell", GRUCell, "");
})();
