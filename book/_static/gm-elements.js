// What the figures that can be touched have in common: <gm-gru-cell>, <gm-review>, <gm-forecast>.
//
// A page loads this script before theirs, all with `defer`, so that they find `window.GM`. Each
// element stands around a drawing that Python made and that is complete without any script.
(() => {
  const SANS = "var(--gm-sans, system-ui, sans-serif)";
  const THUMB = "box-sizing: border-box; width: 18px; height: 18px; border: 2px solid var(--gm-gru); " +
    "border-radius: 50%; background: var(--gm-paper);";
  const RAIL = "height: 3px; border-radius: 2px; " +
    "background: linear-gradient(90deg, var(--gm-gru) var(--share), var(--gm-line) var(--share));";
  const STYLE = `
    .gm-live { display: block; max-width: 44rem; margin: 0 auto; font: 400 0.9375rem/1.4 ${SANS}; color: var(--gm-ink); }
    .gm-drawing { display: block; width: 100%; overflow: visible; }
    .gm-drawing text { font: 400 11px ${SANS}; fill: var(--gm-ink); }
    .gm-controls { display: grid; gap: 0.35rem 2rem; margin: 0.75rem 0 0;
      grid-template-columns: repeat(auto-fit, minmax(min(12rem, 100%), 1fr)); }
    .gm-row { display: flex; flex-wrap: wrap; gap: 0.5rem; margin: 0.75rem 0 0; }
    .gm-end { display: flex; gap: 0.5rem; margin-inline-start: auto; }
    .gm-range { display: grid; grid-template-columns: 1fr auto; align-items: baseline; margin: 0; }
    .gm-range i { font-family: var(--gm-serif, serif); }
    .gm-range b { font-variant-numeric: tabular-nums; font-weight: 600; }
    .gm-range input { grid-column: 1 / -1; appearance: none; width: 100%; height: 1.75rem; margin: 0; background: none;
      cursor: pointer; touch-action: pan-y; }
    .gm-range input::-webkit-slider-runnable-track { ${RAIL} }
    .gm-range input::-moz-range-track { ${RAIL} }
    .gm-range input::-webkit-slider-thumb { appearance: none; margin-top: -7.5px; ${THUMB} }
    .gm-range input::-moz-range-thumb { ${THUMB} }
    .gm-live :is(button, select) { font: inherit; color: inherit; background: none; border: 1px solid var(--gm-line);
      border-radius: 0.35rem; padding: 0.2rem 0.7rem; min-height: 1.9rem; cursor: pointer; }
    .gm-live :is(button:not([aria-disabled="true"]), select):hover { border-color: var(--gm-gru); }
    .gm-live button[aria-pressed="true"] { background: var(--gm-gru); border-color: var(--gm-gru); color: var(--gm-paper); }
    .gm-live button[aria-disabled="true"] { color: var(--gm-muted); border-style: dashed; cursor: default; }
    .gm-choice { display: flex; gap: 0.6rem; align-items: baseline; min-width: 0; margin: 0; color: var(--gm-muted); }
    .gm-choice span { position: relative; display: flex; min-width: 0; color: var(--gm-ink); }
    .gm-choice select { appearance: none; width: 100%; padding-right: 1.9rem; text-overflow: ellipsis; }
    .gm-choice span::after { content: ""; position: absolute; right: 0.8rem; top: 50%; width: 0.4rem; height: 0.4rem;
      margin-top: -0.3rem; border: solid var(--gm-muted); border-width: 0 1.5px 1.5px 0; rotate: 45deg; pointer-events: none; }
    .gm-choice option { color: var(--gm-ink); background: var(--gm-paper); }
    .gm-says { margin: 0.75rem 0 0; min-height: 2.9em; line-height: 1.45; }
    .gm-unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
    @media print { .gm-live { min-height: 0 !important; } .gm-live :is(.gm-row, .gm-controls, .gm-later) { display: none; } }
  `;

  // An element with attributes and children. A function among the attributes listens to the event
  // of that name; false leaves an attribute or a child out.
  const maker = (create) => (name, attributes = {}, ...children) => {
    const element = create(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (typeof value === "function") element.addEventListener(key, value);
      else if (value !== false) element.setAttribute(key, value);
    }
    element.append(...children.filter((child) => child !== false));
    return element;
  };
  const html = maker((name) => document.createElement(name));
  const svg = maker((name) => document.createElementNS("http://www.w3.org/2000/svg", name));

  // Colors by their names in course.css; places in percent, since a drawing grows and its letters do not.
  const fill = (color, opacity = 1) => ({ fill: `var(--gm-${color})`, "fill-opacity": opacity });
  const pen = (color, width = 1, dash = "none") =>
    ({ stroke: `var(--gm-${color})`, "stroke-width": width, "stroke-dasharray": dash });
  const px = (percent) => `${percent}%`;

  /** A number as the page writes it: a true minus sign, no negative zero, commas between thousands. */
  function written(value, digits = 2) {
    const text = value.toFixed(digits);
    const plain = Number(text) === 0 ? (0).toFixed(digits) : text.replace("-", "\u2212");
    return plain.replace(/\d+/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ","));
  }
  const signed = (value, digits = 2) => (Number(value.toFixed(digits)) > 0 ? "+" : "") + written(value, digits);
  /** A share in percent, with as many digits as it takes to tell it from none and from all. */
  function percent(share) {
    const least = Math.min(share, 1 - share), digits = least <= 0 || least >= 0.01 ? 0 : least >= 0.001 ? 1 : 2;
    if (least > 0 && least < 0.0001) return share < 0.5 ? "less than 0.01\u00a0%" : "more than 99.99\u00a0%";
    return `${(100 * share).toFixed(digits)}\u00a0%`;
  }

  // A labelled native range input. `label` may hold markup; it is never a reader's text.
  function range({ name, label, min, max, step, shown = (value) => written(value, 1) }, moved) {
    const text = html("span"), number = html("b");
    const input = html("input", { type: "range", name, min, max, step, input: () => moved(Number(input.value)) });
    text.innerHTML = label;
    const show = (value) => {
      input.value = value;
      number.textContent = shown(value);
      input.setAttribute("aria-valuetext", number.textContent);
      input.style.setProperty("--share", px(100 * (value - input.min) / (input.max - input.min)));
    };
    return { row: html("label", { class: "gm-range" }, text, number, input), input, show };
  }

  // A button that has nothing to do keeps the focus, which `disabled` would throw away.
  const button = (text, pushed, attributes = {}) => html("button", { type: "button", ...attributes,
    click: (event) => event.currentTarget.getAttribute("aria-disabled") === "true" || pushed() }, text);

  /** A labelled native list of choices; `chosen` gets the number of the option. */
  function choice(label, options, chosen) {
    const select = html("select", { change: () => chosen(Number(select.value)) },
      ...options.map((text, number) => html("option", { value: number }, text)));
    return { row: html("label", { class: "gm-choice" }, label, html("span", {}, select)), select };
  }

  // A sentence that follows every move at once for the eye, and once a second for the ear: a screen
  // reader that is told of every change of a slider reads none to the end.
  function status() {
    const seen = html("div", { class: "gm-says", "aria-hidden": "true" });
    const heard = html("div", { class: "gm-unseen", role: "status", "aria-live": "polite" });
    let timer = 0;
    const say = (text) => {
      seen.textContent = text;
      heard.textContent ||= text;
      timer ||= setTimeout(() => {
        timer = 0;
        heard.textContent = seen.textContent;
      }, 1000);
    };
    return { lines: [seen, heard], say };
  }

  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

  /** The float32 numbers that experiments/quantized.py packed: a scale for each row of two axes. */
  function decode({ shape, scale, data }) {
    const scales = new Float32Array(bytes(scale).buffer), width = shape.at(-1);
    // Arrays of one kind keep the loops below fast; `fround` makes the products what float32 makes of them.
    return { shape, values: Float64Array.from(new Int8Array(bytes(data).buffer),
      (integer, k) => Math.fround(integer * scales[Math.floor(k / width)])) };
  }
  const decodeAll = (arrays) => Object.fromEntries(Object.entries(arrays).map(([name, q]) => [name, decode(q)]));

  const sigmoid = (a) => 0.5 * (1 + Math.tanh(0.5 * a));

  /** weight (N, M) times x (M,) plus bias (N,). */
  function affine({ shape: [rows, columns], values }, x, bias) {
    const out = new Float64Array(rows);
    for (let row = 0, k = 0; row < rows; row++) {
      let sum = bias.values[row];
      for (let column = 0; column < columns; column++) sum += values[k++] * x[column];
      out[row] = sum;
    }
    return out;
  }

  // One step of torch.nn.GRU: rows in the order r, z, n, two biases, the reset gate after the product,
  // z near 1 keeps the old state. `input` is affine(weight_ih, x, bias_ih).
  function gruStep(net, input, h) {
    const size = h.length, state = affine(net.weight_hh, h, net.bias_hh);
    const [r, z, n, next] = Array.from({ length: 4 }, () => new Float64Array(size));
    for (let i = 0; i < size; i++) {
      r[i] = sigmoid(input[i] + state[i]);
      z[i] = sigmoid(input[size + i] + state[size + i]);
      n[i] = Math.tanh(input[2 * size + i] + r[i] * state[2 * size + i]);
      next[i] = (1 - z[i]) * n[i] + z[i] * h[i];
    }
    return { r, z, n, h: next };
  }

  function once(make, made = new WeakMap()) {
    return (key) => made.get(key) ?? made.set(key, make(key)).get(key);
  }

  // Large data lie in a file of their own, see book/_ext/figure_data.py: a script, since a page that is
  // opened from a folder may fetch nothing.
  const arrived = {};
  const arrival = ({ name, from }) => arrived[name] ??= new Promise((done, failed) => {
    const gone = () => {
      arrived[name] = undefined;
      failed();
    };
    document.head.append(Object.assign(html("script"), { src: from, onload: () => self.gmData?.[name] ? done(self.gmData[name]) : gone(), onerror: gone }));
  });

  /** An element whose `begin` runs once. Where `data` stand in it as JSON, its drawing makes room. Data that
   * lie elsewhere are asked for when the element is less than a window and a half away; until then its drawing
   * stays, in as much `room` as the element will take: its height on a phone and in a wide column, in pixels. */
  class Live extends HTMLElement {
    static room = [0, 0];

    connectedCallback() {
      if (this.status) return;
      this.classList.add("gm-live");
      this.status = status();
      const data = this.querySelector("script[type='application/json']");
      if (data?.dataset.from) this.later(data.dataset);
      else this.start(data && JSON.parse(data.textContent));
    }

    start(data) {
      if (data) {
        this.data = data;
        this.plot = this.querySelector("svg");
        this.plot?.remove();
      }
      this.begin();
    }

    later(place) {
      const [narrow, wide] = this.constructor.room, note = html("div", { class: "gm-says gm-later", role: "status" });
      this.style.minHeight = `${narrow + (wide - narrow) * Math.min(1, (this.clientWidth - 336) / 358)}px`;
      this.append(note);
      const ask = async () => {
        note.textContent = "Loading what this figure needs to be touched \u2026";
        const data = await arrival(place).catch(() => {});
        if (data) {
          note.remove();
          this.style.minHeight = "";
          this.start(data);
        } else {
          note.replaceChildren(`This figure cannot be touched yet: the ${place.kilobytes}\u00a0kB that it needs did not arrive. `, button("Try again", ask));
        }
      };
      new IntersectionObserver((entries, observer) => {
        if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
        observer.disconnect();
        ask();
      }, { rootMargin: "150%" }).observe(this);
    }
  }

  function define(name, element, text) {
    if (customElements.get(name)) return; // a page may load a script twice
    document.head.append(html("style", {}, text));
    customElements.define(name, element);
  }
  if (!window.GM) document.head.append(html("style", {}, STYLE));

  window.GM = { html, svg, fill, pen, px, written, signed, percent, range, button, choice, status, decodeAll,
    sigmoid, affine, gruStep, once, Live, define };
})();
