// <gm-forecast>: a trained GRU and three simpler ways forecast a day of electricity, and the day
// before can be dragged: who follows, and how far?
//
// Inside the element stand its data, as JSON, and the drawing of one week, which the script replaces;
// experiments/live.py says what both are. Needs gm-elements.js before it.
(() => {
  const { html, svg, fill, pen, px, written, signed, ...GM } = window.GM;
  const DAY = 24, TOP = 26, PLOT = 230, STRIP = 40; // hours; pixels
  const DATE = new Intl.DateTimeFormat("en-US", { timeZone: "UTC", weekday: "short", month: "short", day: "numeric" });
  const STYLE = `
    gm-forecast > svg { margin: 1rem 0 0; user-select: none; -webkit-user-select: none; }
    gm-forecast polyline { fill: none; vector-effect: non-scaling-stroke; }
    gm-forecast rect[data-hour] { fill: transparent; cursor: ns-resize; touch-action: none; }
    gm-forecast .hours { margin: 0.75rem 0 1.25rem; font-size: 0.875rem; font-variant-numeric: tabular-nums; }
    gm-forecast [role=row] { display: grid; grid-template-columns: 2.2rem minmax(0, 1fr) 3.5rem 3.1rem 3.3rem;
      align-items: center; border-bottom: 1px solid var(--gm-line); padding: 0.3rem 0; }
    gm-forecast [role=row] > :nth-child(n + 3) { text-align: right; }
    gm-forecast [role=row] svg { display: block; }
    gm-forecast .head { color: var(--gm-muted); align-items: end; line-height: 1.2; min-height: 3.2em; }
    gm-forecast .net { font-weight: 600; color: var(--gm-gru); }
  `;
  const WAYS = [
    ["net", "GRU", pen("gru", 2.75)],
    ["linear", "Linear model", pen("ink", 1.75, "7 4")],
    ["yesterday", "Same hour yesterday", pen("muted", 2, "2 3")],
    ["lastWeek", "Same hour last week", pen("muted", 1.5, "9 3 2 3")],
  ];

  const modelOf = GM.once(({ net, linear }) => ({ net: GM.decodeAll(net), linear: GM.decodeAll(linear), trail: [] }));

  // Four forecasts of 24 hours in kW from a week of load. Net and linear model answer in standardized
  // units, and with the change against the same hour of the day before.
  function forecast(data, load) {
    const { net, linear, trail } = modelOf(data);
    const x = Float64Array.from(load, (value) => (value - data.mean) / data.scale), yesterday = load.slice(-DAY);
    let h = new Float64Array(net.weight_hh.shape[1]), same = true;
    x.forEach((value, hour) => { // hours that are as they were last time are not read again
      same &&= trail[hour]?.value === value;
      if (!same) trail[hour] = { value, ...GM.gruStep(net, GM.affine(net.weight_ih, Float64Array.of(value), net.bias_ih), h) };
      ({ h } = trail[hour]);
    });
    const changed = (weight, input, bias) =>
      Array.from(GM.affine(weight, input, bias), (by, k) => yesterday[k] + data.scale * by);
    return {
      net: changed(net.readout_weight, h, net.readout_bias), linear: changed(linear.weights, x, linear.bias),
      yesterday, lastWeek: load.slice(0, DAY),
    };
  }

  // Round numbers in kW, with room to drag beyond all that is shown.
  function axisOf(values) {
    const least = Math.min(...values), most = Math.max(...values), room = 0.25 * (most - least) + 1;
    const rough = (most - least + 2 * room) / 4, ten = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((times) => times * ten).find((round) => round >= rough);
    const from = Math.max(0, Math.floor((least - room) / step)), to = Math.ceil((most + room) / step);
    const ticks = Array.from({ length: to - from + 1 }, (_, k) => (from + k) * step);
    return { low: ticks[0], high: ticks.at(-1), step, ticks };
  }

  const at = (hour) => px(100 * hour / (2 * DAY));
  const joined = (points) => points.map((point) => point.join()).join(" ");
  const line = (points, stroke) => svg("polyline", { points: joined(points), ...stroke });
  const word = (x, y, text, color = "muted", more = {}) => svg("text", { x, y, style: `fill:var(--gm-${color})`, ...more }, text);
  const MIDDLE = { "text-anchor": "middle" };
  const across = (y) => svg("line", { x2: "100%", y1: y, y2: y, ...pen("line") });
  const frame = (hours, y, height, ...drawn) => svg("svg", { y, width: "100%", height, viewBox: `0 0 ${hours} ${height}`,
    preserveAspectRatio: "none", "aria-hidden": "true" }, ...drawn);

  class GMForecast extends GM.Live {
    static room = [951, 803];

    begin() {
      this.shown = false;
      this.build();
      this.open(Number(this.getAttribute("window")));
    }

    build() {
      const picture = (height, label, more) =>
        svg("svg", { class: "gm-drawing", height, role: "img", "aria-label": label, ...more });
      this.choice = GM.choice("Example", this.data.windows.map(({ title }) => title), (number) => this.open(number));
      this.week = picture(STRIP + 20, "The load of a week, and what the GRU forecasts for the day after it");
      this.chart = picture(TOP + PLOT + 20, "The load of yesterday and the forecasts for today; the table has one hour", {
        pointerdown: (event) => this.grab(event), pointermove: (event) => this.drag(event),
        lostpointercapture: () => { this.held = null; } });
      this.hours = GM.range({ name: "hour", label: "Hour", min: 0, max: DAY - 1, step: 1,
        shown: (hour) => this.clock(hour) }, (hour) => {
          this.hour = hour;
          this.draw();
        });
      this.level = GM.range({ name: "load", label: "Load yesterday", shown: (value) => `${written(value, 0)}\u00a0kW` },
        (value) => this.set(this.hour, value));
      this.reach = GM.range({ name: "reach", label: "Neighbors that follow", min: 0, max: 6, step: 1,
        shown: (value) => written(value, 0) }, (value) => this.reach.show(value));
      this.reach.show(2);
      this.table = html("div", { class: "hours", role: "table", "aria-label": "The forecasts of one hour" });
      this.happened = GM.button("What happened", () => this.tell(), { "aria-pressed": "false" });
      this.append(this.choice.row, this.week, this.chart, this.table,
        html("div", { class: "gm-controls" }, this.hours.row, this.level.row, this.reach.row),
        html("div", { class: "gm-row" },
          GM.button("Lift the evening", () => this.bend((value, hour) => value + (hour > 16 && hour < 23) * this.axis.step / 2)),
          GM.button("Flatten the day", () => this.bend((_, hour, day) => day.reduce((sum, value) => sum + value) / DAY)),
          this.happened, GM.button("Start again", () => this.open(this.number), { class: "gm-end" })),
        ...this.status.lines);
    }

    open(number) {
      const window = this.window = this.data.windows[this.number = number];
      this.choice.select.value = number;
      this.load = [...window.load];
      this.first = forecast(this.data, window.load);
      this.axis = axisOf([...window.load, ...this.first.net, ...this.first.linear, ...window.next]);
      this.begins = Date.parse(`${window.begins.replace(" ", "T")}Z`);
      this.hour = this.first.yesterday.indexOf(Math.max(...this.first.yesterday));
      Object.assign(this.level.input, { min: this.axis.low, max: this.axis.high, step: this.axis.step / 50 });
      this.draw();
    }

    clock(hour) { return new Date(this.begins + 3600000 * hour).toISOString().slice(11, 16); }
    date(day) { return DATE.format(this.begins + DAY * 3600000 * day); }
    y(value) { return PLOT * (this.axis.high - value) / (this.axis.high - this.axis.low); }
    within(value) { return Math.max(this.axis.low, Math.min(this.axis.high, value)); }
    down(event) { return event.clientY - this.chart.getBoundingClientRect().top - TOP; }

    grab(event) {
      if (!event.target.dataset.hour || event.button) return;
      this.chart.setPointerCapture(event.pointerId);
      this.held = { hour: Number(event.target.dataset.hour) };
      this.held.off = this.down(event) - this.y(this.now.yesterday[this.held.hour]);
      this.hour = this.held.hour;
      this.draw();
    }
    drag(event) {
      if (!this.held) return;
      const { low, high } = this.axis, { hour, off } = this.held;
      this.set(hour, high - (high - low) * (this.down(event) - off) / PLOT);
    }

    // The hours around it go along, the less the further away they are.
    set(hour, value) {
      const by = this.within(value) - this.now.yesterday[hour], wide = Number(this.reach.input.value) + 1;
      this.bend((old, _, day, k) => old + (Math.abs(k - hour) < wide && by * Math.cos(Math.PI / 2 * (k - hour) / wide) ** 2));
    }
    bend(rule) {
      const { yesterday } = this.now;
      this.load.splice(-DAY, DAY, ...yesterday.map((value, k) =>
        this.within(rule(value, Number.parseInt(this.clock(k), 10), yesterday, k))));
      this.draw();
    }

    tell() {
      this.shown = !this.shown;
      this.happened.setAttribute("aria-pressed", this.shown);
      this.draw();
    }

    draw() {
      this.now = forecast(this.data, this.load);
      this.changed = this.load.some((value, k) => value !== this.window.load[k]);
      this.hours.show(this.hour);
      this.level.show(this.now.yesterday[this.hour]);
      this.drawWeek();
      this.drawDays();
      this.drawTable();
      this.status.say(this.sentence());
    }

    drawWeek() {
      const points = [...this.load, ...this.now.net].map((value, k) => [k + 0.5, STRIP / PLOT * this.y(value)]);
      const hours = points.length, days = hours / DAY;
      this.week.replaceChildren(
        frame(hours, 0, STRIP, svg("rect", { x: hours - 2 * DAY, width: DAY, height: STRIP, ...fill("panel") }),
          line(points.slice(0, -DAY), pen("ink", 1.25)),
          line(points.slice(-DAY), pen("gru", 1.75))),
        across(STRIP),
        ...Array.from({ length: days }, (_, day) => word(px(100 * (day + 0.5) / days), STRIP + 15, this.date(day).slice(0, 3),
          day < 7 ? "muted" : "gru", MIDDLE)));
    }

    drawDays() {
      const { axis, now, hour, window, data: { half } } = this;
      const on = (values, from = DAY) => values.map((value, k) => [from + k + 0.5, this.y(value)]);
      const edge = (side) => on(now.net.map((value, k) => value + side * half[k]));
      const dot = (place, value, more) =>
        svg("circle", { cx: at(place + 0.5), cy: TOP + this.y(value), r: 2.5, ...fill("ink"), ...more });
      const ring = (width) => ({ ...fill("paper"), ...pen("ink", width) });
      const here = at(hour + 0.5), y = TOP + this.y(now.yesterday[hour]);
      this.chart.replaceChildren(
        svg("rect", { y: TOP, width: "50%", height: PLOT, ...fill("panel") }),
        ...axis.ticks.map((tick) => across(TOP + this.y(tick))),
        ...[here, at(DAY + hour + 0.5)].map((x) => svg("line", { x1: x, x2: x, y1: TOP, y2: TOP + PLOT, ...pen("line") })),
        frame(2 * DAY, TOP, PLOT,
          svg("polygon", { points: joined([...edge(1), ...edge(-1).reverse()]), ...fill("gru", 0.16) }),
          this.changed && line(on(this.first.yesterday, 0), pen("muted", 1, "2 3")),
          this.changed && line(on(this.first.net), pen("gru")),
          ...WAYS.toReversed().map(([key, , stroke]) => line(on(now[key]), stroke)),
          line(on(now.yesterday, 0), pen("ink", 2))),
        ...(this.shown ? window.next.map((value, k) => dot(DAY + k, value, { r: 3, ...ring(1) })) : []),
        ...now.yesterday.map((value, k) => dot(k, value)),
        dot(hour, now.yesterday[hour], { r: 6, ...ring(2.5) }),
        svg("svg", { x: here, y, overflow: "visible", "aria-hidden": "true" },
          svg("path", { d: "M-4-12l4-5l4 5M-4 12l4 5l4-5", fill: "none", ...pen("ink", 1.5) })),
        word(0, 14, `Yesterday, ${this.date(6)}`, "ink"),
        word("50%", 14, `Today, ${this.date(7)}`, "gru"),
        ...axis.ticks.slice(1).map((tick) =>
          word(4, TOP + this.y(tick) + 13, written(tick, 0) + (tick === axis.high ? " kW" : ""))),
        ...[0, 6, 12, 18, 24, 30, 36, 42].map((k) =>
          word(at(k && k + 0.5), TOP + PLOT + 15, this.clock(k).slice(0, 2), "muted", k ? MIDDLE : {})),
        ...now.yesterday.map((value, k) =>
          svg("rect", { x: at(k), y: TOP + this.y(value) - 24, width: at(1), height: 48, "data-hour": k })));
    }

    drawTable() {
      const { hour, now, first, shown, window: { next }, data: { half } } = this;
      const row = (kind, sample, name, ...cells) => html("div", { role: "row", class: kind },
        ...[sample, name, ...cells, "", ""].slice(0, 5).map((cell, k) =>
          html("span", { role: kind === "head" && cell ? "columnheader" : k === 1 ? "rowheader" : "cell" }, cell)));
      const sample = (...shape) => svg("svg", { width: 28, height: 12, "aria-hidden": "true" }, svg(...shape));
      const error = (values) => values.reduce((sum, value, k) => sum + Math.abs(value - next[k]), 0) / DAY;
      const [net, ...ways] = WAYS.map(([key, name, stroke]) => row(key,
        sample("line", { x2: 28, y1: 6, y2: 6, ...stroke }), name, written(now[key][hour], 0),
        shown && written(error(now[key]), 0), signed(now[key][hour] - first[key][hour], 0)));
      this.table.replaceChildren(
        row("head", "", `${this.clock(hour)} today, in kW`, "forecast", shown && "mean error", "moved"), net,
        row("band", sample("rect", { width: 28, height: 12, ...fill("gru", 0.2) }), "90\u00a0% interval",
          `\u00b1\u00a0${written(half[hour], 0)}`), ...ways,
        row("fact", sample("circle", { cx: 14, cy: 6, r: 3.5, fill: "none", ...pen("ink") }), "What happened",
          shown ? written(next[hour], 0) : "?"));
    }

    sentence() {
      const { hour, now, first, window: { next }, data: { half } } = this, clock = this.clock(hour);
      const moved = (key) => `${signed(now[key][hour] - first[key][hour], 0)}\u00a0kW`;
      if (this.changed) return `You moved ${clock} yesterday by ${moved("yesterday")}. Its copy for today follows all the ` +
        `way, the linear model by ${moved("linear")}, the GRU by ${moved("net")}, last week not at all.`;
      const inside = next.filter((value, k) => Math.abs(value - now.net[k]) <= half[k]).length;
      return this.shown ? `What happened lies inside the interval in ${inside} of ${DAY} hours.`
        : "Drag yesterday\u2019s curve up or down: who follows, and how far?";
    }
  }

  GMForecast.forecast = forecast;
  GM.define("gm-forecast", GMForecast, STYLE);
})();
