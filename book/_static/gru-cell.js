// <gm-gru-cell>: a GRU cell with one unit whose inputs and biases can be moved.
//
// The element wraps a drawing that is complete without this script (autograder.course.figures.gru_cell
// with values). The script adds four native range inputs, recomputes the step and rewrites the
// numbers and the widths of the wires. Equations and names are those of autograder/course/reference.py.
(() => {
  const CONTROLS = [
    { name: "x", label: "Input", symbol: "x", min: -2, max: 2 },
    { name: "h_prev", label: "Old state", symbol: "h", min: -1, max: 1 },
    { name: "b_z", label: "Update bias", symbol: "b<sub>z</sub>", min: -6, max: 6 },
    { name: "b_r", label: "Reset bias", symbol: "b<sub>r</sub>", min: -6, max: 6 },
  ];
  const STYLE = `
    gm-gru-cell { display: block; max-width: 560px; margin: 0 auto; }
    gm-gru-cell .controls { display: grid; gap: 0.35rem 2rem; margin: 0.75rem 0 0;
      grid-template-columns: repeat(auto-fit, minmax(14rem, 1fr));
      font: 400 0.9375rem/1.4 var(--gm-sans, system-ui, sans-serif); }
    gm-gru-cell label { display: grid; grid-template-columns: 1fr auto; align-items: baseline; }
    gm-gru-cell label i { font-family: var(--gm-serif, serif); }
    gm-gru-cell .number { font-variant-numeric: tabular-nums; font-weight: 600; }
    gm-gru-cell input { grid-column: 1 / -1; width: 100%; height: 1.75rem; margin: 0;
      accent-color: var(--gm-gru, #0b7a6b); }
    gm-gru-cell .says { margin: 0.75rem 0 0; min-height: 2.9em; color: var(--gm-ink, inherit);
      font: 400 0.9375rem/1.45 var(--gm-sans, system-ui, sans-serif); }
    gm-gru-cell button { font: inherit; color: inherit; background: none; cursor: pointer;
      border: 1px solid var(--gm-line, #cdd5da); border-radius: 0.35rem; padding: 0.2rem 0.7rem; }
    gm-gru-cell .end { justify-self: end; align-self: end; grid-column: -2 / -1; }
  `;

  const sigmoid = (a) => 0.5 * (1 + Math.tanh(0.5 * a));

  function step(p) {
    const z = sigmoid(p.W_z[0] * p.h_prev + p.W_z[1] * p.x + p.b_z);
    const r = sigmoid(p.W_r[0] * p.h_prev + p.W_r[1] * p.x + p.b_r);
    const candidate = Math.tanh(p.W_h[0] * r * p.h_prev + p.W_h[1] * p.x + p.b_h);
    return { z, r, candidate, h: (1 - z) * p.h_prev + z * candidate };
  }

  const written = (value, digits = 2) => {
    const text = value.toFixed(digits);
    return Number(text) === 0 ? (0).toFixed(digits) : text.replace("-", "\u2212");
  };

  class GRUCell extends HTMLElement {
    connectedCallback() {
      if (this.state) return;
      this.start = JSON.parse(this.getAttribute("cell"));
      this.state = { ...this.start };
      this.wires = [...this.querySelectorAll("[data-flow]")].map((wire) => ({ wire,
        flow: wire.dataset.flow, plain: Number(this.getAttribute("stroke")) }));
      if (!document.getElementById("gm-gru-cell-style")) {
        const style = document.createElement("style");
        style.id = "gm-gru-cell-style";
        style.textContent = STYLE;
        document.head.append(style);
      }
      const controls = document.createElement("div");
      controls.className = "controls";
      this.inputs = {};
      for (const { name, label, symbol, min, max } of CONTROLS) {
        const row = document.createElement("label");
        row.innerHTML = `<span>${label} <i>${symbol}</i></span><span class="number"></span>` +
          `<input type="range" name="${name}" min="${min}" max="${max}" step="0.1">`;
        const input = row.querySelector("input");
        input.addEventListener("input", () => {
          this.state[name] = Number(input.value);
          this.draw();
        });
        this.inputs[name] = { input, shown: row.querySelector(".number") };
        controls.append(row);
      }
      const reset = document.createElement("button");
      reset.type = "button";
      reset.className = "end";
      reset.textContent = "Start again";
      reset.addEventListener("click", () => {
        this.state = { ...this.start };
        this.draw();
      });
      controls.append(reset);
      this.says = document.createElement("p");
      this.says.className = "says";
      this.says.setAttribute("role", "status");
      this.append(controls, this.says);
      this.draw();
    }

    draw() {
      const p = this.state;
      const result = step(p);
      const values = { x: p.x, h_prev: p.h_prev, ...result };
      for (const text of this.querySelectorAll("[data-value]")) {
        text.textContent = written(values[text.dataset.value]);
      }
      const shares = { keep: 1 - result.z, take: result.z, r: result.r };
      for (const { wire, flow, plain } of this.wires) {
        wire.setAttribute("stroke-width", plain * (0.3 + 3 * shares[flow]));
      }
      for (const [name, { input, shown }] of Object.entries(this.inputs)) {
        input.value = p[name];
        shown.textContent = written(p[name], 1);
      }
      const percent = (share) => `${Math.round(100 * share)}\u00a0%`;
      this.says.textContent = `The new state is ${percent(1 - result.z)} old state and ` +
        `${percent(result.z)} candidate: ${written(p.h_prev)} becomes ${written(result.h)}. ` +
        `The candidate sees ${percent(result.r)} of the old state.`;
    }
  }

  GRUCell.step = step;
  if (!customElements.get("gm-gru-cell")) customElements.define("gm-gru-cell", GRUCell);
})();
