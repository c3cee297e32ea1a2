// <gm-house>: a trained net says what a user of a house means, over two turns.
//
// Inside the element stand its data, as JSON, and the drawing of one dialogue, which the script replaces;
// experiments/live_house.py says what both are. Needs gm-elements.js before it.
(() => {
  const { html, svg, fill, px, percent, ...GM } = window.GM;
  const PAD = 0, RARE = 1, END = 2, FIRST = 3;
  const STYLE = `
    gm-house .turn { margin: 0.9rem 0 0; }
    gm-house .turn > label { display: block; margin: 0 0 0.25rem; font-weight: 600; }
    gm-house input { box-sizing: border-box; width: 100%; padding: 0.5rem 0.8rem; font: 400 1.125rem/1.4 var(--gm-serif, serif); color: inherit;
      background: none; border: 1px solid var(--gm-muted); border-radius: 0.45rem; }
    gm-house .words { display: flex; flex-wrap: wrap; gap: 0.35rem; margin: 0.5rem 0 0.3rem; min-height: 2.9rem; padding: 0; list-style: none; }
    gm-house .words li { padding: 0.15rem 0.45rem; border-radius: 0.35rem; border: 1px solid transparent; }
    gm-house .words small { display: block; font-size: 0.75rem; color: var(--gm-muted); min-height: 1.2em; }
    gm-house .words .slot { border-color: var(--gm-gru); background: var(--gm-panel); }
    gm-house .words .slot small { color: var(--gm-gru); }
    gm-house .words .unknown { font-style: italic; }
    gm-house .means { display: grid; grid-template-columns: minmax(8.5rem, max-content) 1fr 4rem; gap: 0.15rem 0.7rem; align-items: center; font-size: 0.875rem; }
    gm-house .means div { height: 9px; border-radius: 3px; background: linear-gradient(90deg, var(--gm-gru) var(--share), var(--gm-panel) var(--share)); }
    gm-house .means :nth-child(-n + 3) { font-weight: 600; }
    gm-house .means span:nth-child(3n) { font-variant-numeric: tabular-nums; text-align: right; }
    gm-house .state { margin: 0.7rem 0; }
    gm-house .state span { display: block; font-size: 0.8125rem; color: var(--gm-muted); margin-bottom: 0.2rem; }
    gm-house .gm-note { color: var(--gm-muted); font-size: 0.8125rem; margin: 0.5rem 0 0; }
  `;

  const modelOf = GM.once((data) => {
    const all = GM.decodeAll(data.net);
    const part = (end) => ({ weight_ih: all[`weight_ih${end}`], weight_hh: all[`weight_hh${end}`],
      bias_ih: all[`bias_ih${end}`], bias_hh: all[`bias_hh${end}`] });
    const listed = new Map(Object.entries(data.names).flatMap(([kind, names]) => names.split("|").map((name) => [name, kind])));
    return { ...all, ahead: part(""), back: part("_reverse"), size: all.weight_hh.shape[1], listed,
      number: new Map(data.words.split("|").map((word, k) => [word, k + FIRST])), most: Math.max(...[...listed.keys()].map((name) => name.split(" ").length)) };
  });

  /** The words of a text, as experiments/live_house.py cuts them. */
  const cut = (text) => text.toLowerCase().match(/[a-z0-9']+|[%°]/g) ?? [];

  // Every name of the house's list is read as what it stands for; the longest name counts.
  function lookedUp({ listed, most }, words) {
    const read = [...words];
    for (let at = 0; at < words.length;) {
      let size = Math.min(most, words.length - at);
      while (size && !listed.has(words.slice(at, at + size).join(" "))) size--;
      read.fill(listed.get(words.slice(at, at + size).join(" ")), at, at + size);
      at += Math.max(size, 1);
    }
    return read;
  }

  function run(net, inputs, h) {
    return inputs.map((x) => h = GM.gruStep(net, GM.affine(net.weight_ih, x, net.bias_ih), h).h);
  }

  /** One turn from a state on: `words`, `read`, `known`, `logits` at every word and at the end, the next `state`. */
  function turn(data, text, state) {
    const model = modelOf(data), words = cut(text).slice(0, data.longest - 1), read = lookedUp(model, words);
    const numbers = [...read.map((word) => model.number.get(word) ?? RARE), END], width = model.embedding.shape[1];
    const inputs = numbers.map((k) => model.embedding.values.subarray(k * width, (k + 1) * width));
    const zeros = new Float64Array(model.size), ahead = run(model.ahead, inputs, state ?? zeros);
    const back = run(model.back, inputs.toReversed(), zeros).reverse();
    const logits = ahead.map((h, t) => [...GM.affine(model.readout_weight, [...h, ...back[t]], model.readout_bias)]);
    return { words, read, known: numbers.slice(0, -1).map((number) => number !== RARE), logits, state: ahead.at(-1) };
  }

  /** Two turns; the state goes on from the first to the second if it is to be carried. */
  function understand(data, texts, carry = true) {
    let state;
    return texts.map((text) => {
      const found = turn(data, text, carry ? state : undefined);
      state = found.state;
      return found;
    });
  }

  const best = (values) => values.indexOf(Math.max(...values));
  function shares(values) {
    const most = Math.max(...values), all = values.map((value) => Math.exp(value - most)), sum = all.reduce((a, b) => a + b, 0);
    return all.map((value) => value / sum);
  }
  const spaced = (intent) => intent.replace(/(?<=[a-z])(?=[A-Z])/g, " ");

  class GMHouse extends GM.Live {
    begin() {
      const many = document.querySelectorAll("gm-house input").length;
      this.turns = ["First turn", "Second turn"].map((name, k) => {
        const id = `gm-house-${many + k}`;
        const field = html("input", { id, autocomplete: "off", spellcheck: "false", input: () => this.draw(k) });
        const words = html("ul", { class: "words", "aria-label": `The words of the ${name.toLowerCase()} and their slots` });
        const means = html("div", { class: "means" });
        return { field, words, means, box: html("div", { class: "turn" }, html("label", { for: id }, name), field, words, means) };
      });
      this.examples = GM.choice("Example", ["Choose one", ...this.data.examples.map((texts) => texts.join(" … "))],
        (k) => k && this.put(this.data.examples[k - 1]));
      this.carrying = GM.button("State carried on", () => this.carry(!this.carried), { "aria-pressed": "true" });
      this.strip = svg("svg", { class: "gm-drawing", height: 22, "aria-hidden": "true" });
      this.passed = html("span");
      this.note = html("div", { class: "gm-note" });
      this.carried = true;
      this.append(html("div", { class: "gm-row" }, this.examples.row), this.turns[0].box,
        html("div", { class: "state" }, this.passed, this.strip), html("div", { class: "gm-row" }, this.carrying), this.turns[1].box,
        this.note, ...this.status.lines);
      this.put(this.data.examples[0]);
    }

    put(texts) {
      this.turns.forEach(({ field }, k) => { field.value = texts[k]; });
      this.draw(1);
    }

    carry(wanted) {
      this.carried = wanted;
      this.carrying.setAttribute("aria-pressed", wanted);
      this.draw(1);
    }

    draw(changed) {
      const texts = this.turns.map(({ field }) => field.value), found = understand(this.data, texts, this.carried);
      this.found = found;
      this.examples.select.value = 1 + this.data.examples.findIndex((example) => example.every((text, k) => text === texts[k]));
      found.forEach((at, k) => this.answer(this.turns[k], at));
      const { state } = found[0], width = 100 / state.length;
      this.passed.textContent = this.carried ? "The state that the first turn hands on, one cell a unit" : "The second turn begins at zero";
      this.strip.replaceChildren(...[...state].map((value, k) => svg("rect", { x: px(width * k + 0.3), width: px(width - 0.6), y: 1, height: 20, rx: 2,
        ...fill(value < 0 ? "reset" : "gru", this.carried ? 0.06 + 0.9 * Math.abs(value) : 0.06) })));
      const unknown = found.some(({ known }) => known.includes(false));
      const cutOff = texts.some((text) => cut(text).length >= this.data.longest);
      this.note.textContent = [unknown && "Words in italics are not in the vocabulary; to the net they are all the same.",
        cutOff && `The net reads ${this.data.longest - 1} words of a turn.`].filter(Boolean).join(" ");
      this.status.say(`${["First", "Second"][changed]} turn: ${this.told(found[changed])}`);
    }

    tags({ logits, words }) { return words.map((_, t) => this.data.labels[best(logits[t])]); }

    answer({ words, means }, found) {
      const tags = this.tags(found);
      words.replaceChildren(...found.words.map((word, t) => {
        const slot = tags[t] === "O" ? "" : tags[t].slice(2).replaceAll("_", " ");
        const look = [slot && "slot", !found.known[t] && "unknown"].filter(Boolean).join(" ");
        return html("li", { class: look || false }, word, html("small", {}, slot && tags[t][0] === "I" ? "·" : slot));
      }));
      const share = shares(found.logits.at(-1)), order = share.map((_, k) => k).sort((a, b) => share[b] - share[a]).slice(0, 3);
      means.replaceChildren(...order.flatMap((k) => [html("span", {}, spaced(this.data.labels[k])),
        html("div", { style: `--share: ${px(100 * share[k])}` }), html("span", {}, percent(share[k]))]));
    }

    // The slots in words: "name desk lamp, area kitchen".
    told(found) {
      const slots = [];
      this.tags(found).forEach((tag, t) => {
        if (tag === "O") return;
        if (tag[0] === "B" || !slots.length) slots.push([tag.slice(2).replaceAll("_", " ")]);
        slots.at(-1).push(found.words[t]);
      });
      const share = shares(found.logits.at(-1)), k = best(share);
      return `${spaced(this.data.labels[k])}, ${percent(share[k])} sure` +
        `${slots.length ? `; ${slots.map((slot) => slot.join(" ")).join(", ")}` : "; no slot"}.`;
    }
  }

  Object.assign(GMHouse, { understand, cut });
  GM.define("gm-house", GMHouse, STYLE);
})();
