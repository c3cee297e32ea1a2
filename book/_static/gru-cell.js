// <gm-gru-cell>: a GRU cell with one unit whose inputs and biases can be moved.
//
// The element wraps a drawing that is complete without this script (autograder.course.figures.gru_cell
// with values). The script adds four native range inputs, recomputes the step and rewrites the
// numbers and the widths of the wires. Equations and names are those of autograder/course/reference.py,
// not PyTorch's: z near 1 takes the candidate. Needs gm-elements.js before it.
(() => {
  const GM = window.GM;
  const CONTROLS = [
    { name: "x", label: "Input <i>x</i>", min: -2, max: 2 },
    { name: "h_prev", label: "Old state <i>h</i>", min: -1, max: 1 },
    { name: "b_z", label: "Update bias <i>b<sub>z</sub></i>", min: -6, max: 6 },
    { name: "b_r", label: "Reset bias <i>b<sub>r</sub></i>", min: -6, max: 6 },
  ];
  const STYLE = `
    gm-gru-cell.gm-live { max-width: 560px; }
    gm-gru-cell button { justify-self: end; align-self: end; grid-column: -2 / -1; }
  `;

  function step(p) {
    const z = GM.sigmoid(p.W_z[0] * p.h_prev + p.W_z[1] * p.x + p.b_z);
    const r = GM.sigmoid(p.W_r[0] * p.h_prev + p.W_r[1] * p.x + p.b_r);
    const candidate = Math.tanh(p.W_h[0] * r * p.h_prev + p.W_h[1] * p.x + p.b_h);
    return { z, r, candidate, h: (1 - z) * p.h_prev + z * candidate };
  }

  class GRUCell extends GM.Live {
    begin() {
      this.start = JSON.parse(this.getAttribute("cell"));
      this.state = { ...this.start };
      this.wires = [...this.querySelectorAll("[data-flow]")].map((wire) => ({ wire,
        flow: wire.dataset.flow, plain: Number(this.getAttribute("stroke")) }));
      this.ranges = CONTROLS.map((control) => [control.name,
        GM.range({ ...control, step: 0.1 }, (value) => {
          this.state[control.name] = value;
          this.draw();
        })]);
      const again = GM.button("Start again", () => {
        this.state = { ...this.start };
        this.draw();
      });
      this.append(
        GM.html("div", { class: "gm-controls" }, ...this.ranges.map(([, { row }]) => row), again),
        ...this.status.lines);
      this.draw();
    }

    draw() {
      const p = this.state;
      const result = step(p);
      const values = { x: p.x, h_prev: p.h_prev, ...result };
      for (const text of this.querySelectorAll("[data-value]")) {
        text.textContent = GM.written(values[text.dataset.value]);
      }
      const shares = { keep: 1 - result.z, take: result.z, r: result.r };
      for (const { wire, flow, plain } of this.wires) {
        wire.setAttribute("stroke-width", plain * (0.3 + 3 * shares[flow]));
      }
      for (const [name, { show }] of this.ranges) show(p[name]);
      this.status.say(`The new state is ${GM.percent(1 - result.z)} old state and ` +
        `${GM.percent(result.z)} candidate: ${GM.written(p.h_prev)} becomes ${GM.written(result.h)}. ` +
        `The candidate sees ${GM.percent(result.r)} of the old state.`);
    }
  }

  GRUCell.step = step;
  GM.define("gm-gru-cell", GRUCell, STYLE);
})();
