// <gm-review>: a trained GRU reads a movie review word by word, and a bag of words beside it.
//
// Inside the element stand its data, as JSON, and the drawing of one review, which the script replaces;
// experiments/live.py says what both are. Needs gm-elements.js before it.
(() => {
  const { html, svg, fill, pen, px, percent, signed, ...GM } = window.GM;
  const ROW = 28, TOP = 44, WORD = 92; // pixels: a word's row, the heads, the column of words
  const STYLE = `
    gm-review .ask { display: flex; flex-wrap: wrap; gap: 0.4rem 1.5rem; justify-content: space-between; align-items: baseline; }
    gm-review .gm-choice { flex: 0 1 26rem; }
    gm-review .gm-choice span { flex: 1; }
    gm-review textarea { display: block; box-sizing: border-box; width: 100%; min-height: 3.1rem; margin: 0.5rem 0 0;
      resize: none; overflow: auto; field-sizing: content; padding: 0.7rem 0.9rem; border: 1px solid var(--gm-muted);
      border-radius: 0.45rem; font: 400 1.1875rem/1.4 var(--gm-serif, serif); color: inherit; background: none; }
    gm-review .verdicts { display: flex; flex-wrap: wrap; gap: 0.6rem 3rem; margin: 1rem 0 0.9rem; color: var(--gm-muted); }
    gm-review .verdicts b { display: block; font-size: 1.75rem; line-height: 1.15; font-weight: 600; letter-spacing: -0.01em;
      font-variant-numeric: tabular-nums; color: var(--gm-ink); }
    gm-review .verdicts :first-child b { color: var(--gm-gru); }
    gm-review .score { position: relative; padding-left: ${WORD}px; }
    gm-review .score svg { position: relative; pointer-events: none; }
    gm-review .words { position: absolute; inset: ${TOP}px 0 auto; }
    gm-review .words div { position: relative; height: ${ROW}px; line-height: ${ROW}px; padding-left: 7px; cursor: pointer;
      border-left: 3px solid transparent; }
    gm-review .words div:focus-visible { outline-offset: -3px; }
    gm-review .words :is(:hover, [aria-selected="true"]) { background: var(--gm-panel); }
    gm-review .words [aria-selected="true"] { border-left-color: var(--gm-gru); }
    gm-review .words b { display: block; max-width: ${WORD - 10}px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
      font-weight: 400; font-size: 0.875rem; }
    gm-review .unknown b { color: var(--gm-muted); font-style: italic; }
    gm-review .gm-note { color: var(--gm-muted); font-size: 0.8125rem; margin: 0.5rem 0 0; }
  `;

  // The numbers behind a page's data. What a word brings to the gates is computed once.
  const modelOf = GM.once((data) => {
    const { bag: { values: bag }, ...net } = GM.decodeAll({ ...data.net, bag: data.bag.weights });
    const number = new Map(data.words.split(" ").map((word, k) => [word, k + 2]));
    const inputs = [], { shape: [, width], values } = net.embedding;
    const input = (word) => inputs[word] ??=
      GM.affine(net.weight_ih, values.subarray(word * width, (word + 1) * width), net.bias_ih);
    return { net, number, input, bag, reads: 0, start: { h: new Float64Array(net.weight_hh.shape[1]), next: {} },
      most: bag.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0) || 1 };
  });

  // Words and where they stand, cut as experiments/tasks.py cuts them. Where lower case is longer than
  // what it is made of, it is the text.
  function cut(text) {
    const lower = text.toLowerCase();
    const spans = [...lower.matchAll(/[a-z']+/g)].map(({ 0: word, index }) => ({ word, from: index, to: index + word.length }));
    return { source: lower.length === text.length ? text : lower, spans };
  }

  const numbersOf = (model, spans) => spans.map(({ word }) => model.number.get(word) ?? 1);

  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

  function step({ net, input }, before, number) {
    const { z, r, h } = GM.gruStep(net, input(number), before.h);
    const logits = [...GM.affine(net.readout_weight, h, net.readout_bias)];
    return { z: mean(z), r: mean(r), h, move: Math.hypot(...h.map((value, i) => value - before.h[i])), logits,
      probability: GM.sigmoid(logits[1] - logits[0]), next: {} };
  }

  // What happens at these words, one after the other, remembered: a text that only grows costs one step.
  const steps = (model, numbers, before = model.start) =>
    numbers.map((number) => { before = before.next[number] ??= step(model, before, number); return before; });

  // What the net and the bag of words make of a text. `z`, `r`, `move` and `running` have one number
  // for each step of the net, which is one for an empty text too; the others have one for each word.
  function read(data, text) {
    const model = modelOf(data), spans = cut(text).spans.slice(0, data.longest), numbers = numbersOf(model, spans);
    if (++model.reads % 256 === 0) model.start.next = {}; // or the memory would only grow
    // The net never reads nothing: a review without words is one word of padding.
    const taken = steps(model, numbers.length ? numbers : [0]), { logits, probability } = taken.at(-1);
    const weights = numbers.map((number) => model.bag[number]);
    return {
      tokens: spans.map(({ word }) => word), known: spans.map(({ word }) => model.number.has(word)),
      z: taken.map(({ z }) => z), r: taken.map(({ r }) => r), move: taken.map(({ move }) => move),
      running: taken.map((at) => at.probability), logits, probability,
      bag: { weights, probability: GM.sigmoid(weights.reduce((sum, weight) => sum + weight, data.bag.bias)) },
    };
  }

  // How much likelier "good" is with a word than without it, for every word that is read.
  function worth(data, text) {
    const model = modelOf(data), all = numbersOf(model, cut(text).spans);
    const taken = steps(model, all.slice(0, data.longest));
    return taken.map((_, k) => {
      const rest = all.toSpliced(k, 1).slice(0, data.longest);
      return taken.at(-1).probability - steps(model, rest.length ? rest : [0]).at(-1).probability;
    });
  }

  // The drawing: words lie left of x = 0, columns right of it, in percent of what is there.
  const middleOf = (row) => TOP + ROW * (row + 0.5);
  const verdictAt = (share) => 1 + 28 * share;
  const bar = (x, row, width, ...paint) => svg("rect", { x: px(x), y: middleOf(row) - 4, width: px(width), height: 8, rx: 1.5,
    ...fill(...paint) });
  const share = (x, row, value, color) => [bar(x, row, 12, "line", 0.55), bar(x, row, 12 * value, color)];
  // Right of the middle for "good", left of it for "bad".
  const sided = (middle, row, value, half, color) => {
    const width = Math.min(Math.abs(value), 1) * half;
    return bar(middle - (value < 0 ? width : 0), row, width, color);
  };
  const head = (x, anchor, ...lines) => lines.map((line, k) =>
    svg("text", { x: px(x), y: 18 + 15 * k, "text-anchor": anchor }, line));
  const rule = (x, rows, color = "line", ...more) => svg("line", { x1: px(x), x2: px(x), y1: TOP, y2: TOP + ROW * rows,
    ...pen(color, ...more) });

  function verdicts({ running, tokens }) {
    const x = running.map(verdictAt), rows = tokens.length;
    return [
      ...Array.from({ length: rows + 1 }, (_, row) => TOP + ROW * row).map((y) =>
        svg("line", { x1: -WORD, x2: "100%", y1: y, y2: y, ...pen("line", y > TOP ? 0.5 : 1) })),
      rule(verdictAt(0.5), rows, "muted", 1, "2 3"),
      ...head(1, "start", "Verdict", "bad"), ...head(29, "end", "", "good"),
      ...x.slice(1).map((to, k) => svg("line", { x1: px(x[k]), x2: px(to), y1: middleOf(k), y2: middleOf(k + 1),
        ...pen("gru", 2) })),
      ...x.slice(0, rows).map((at, k) => svg("circle", { cx: px(at), cy: middleOf(k), r: k === rows - 1 ? 5.5 : 3.5,
        ...fill("gru"), ...pen("paper", 1.5) })),
    ];
  }

  const gates = ({ tokens, z, r, move, bag }, { most, start }) => [
    ...head(33.5, "start", "Taken", "in"), ...head(50, "start", "Reset", "open"), ...head(66.5, "start", "State", "moved"),
    ...head(100, "end", "In the", "bag"), rule(91, tokens.length),
    ...tokens.flatMap((_, row) => [
      ...share(33.5, row, 1 - z[row], "update"), ...share(50, row, r[row], "reset"),
      bar(66.5, row, 12 * Math.min(move[row] / Math.sqrt(start.h.length), 1), "gru"),
      sided(91, row, bag.weights[row] / most, 9, "ink"),
    ]),
  ];

  const worths = ({ tokens, bag }, { most }, values) => [
    ...head(43, "middle", "Worth to", "the net"), ...head(70, "end", "in", "points"), ...head(100, "end", "Worth to", "the bag"),
    rule(43, tokens.length), rule(88, tokens.length),
    ...tokens.flatMap((_, row) => [
      sided(43, row, values[row] / Math.max(0.1, ...values.map(Math.abs)), 12, "gru"),
      sided(88, row, bag.weights[row] / most, 12, "ink"),
      svg("text", { x: px(70), y: middleOf(row) + 4, "text-anchor": "end" }, signed(100 * values[row], 0)),
    ]),
  ];

  const quoted = (word) => `\u201c${word}\u201d`;
  const went = (was, is) => `from ${percent(was.probability)} to ${percent(is.probability)}`;

  class GMReview extends GM.Live {
    static room = [726, 595];

    begin() {
      this.past = [];
      this.options = [];
      this.selected = -1;
      this.build(this.getAttribute("sentence") ?? this.data.examples[0] ?? "");
      this.draw();
      this.status.say("Choose a word to drop it or to exchange it with the next one.");
    }

    build(first) {
      const id = `gm-review-${document.querySelectorAll("gm-review textarea").length}`;
      this.field = html("textarea", { id, rows: 2, spellcheck: "false",
        input: () => this.put(this.field.value, undefined, true) });
      this.field.value = first;
      this.examples = GM.choice("Example", ["Choose one", ...this.data.examples],
        (number) => number && this.put(this.data.examples[number - 1]));
      this.net = html("b");
      this.bag = html("b");
      this.marks = svg("svg", { class: "gm-drawing", "aria-hidden": "true" });
      this.list = html("div", { class: "words", role: "listbox", "aria-label": "The words, as they are read",
        keydown: (event) => this.key(event), focusin: (event) => this.select(this.options.indexOf(event.target)),
        click: (event) => event.target.closest("[role=option]")?.focus() });
      this.note = html("div", { class: "gm-note" });
      this.dropping = GM.button("", () => this.drop());
      this.exchanging = GM.button("", () => this.exchange());
      this.asking = GM.button("What is each word worth?", () => this.ask(), { "aria-pressed": "false" });
      this.undoing = GM.button("Undo", () => this.undo());
      this.append(
        html("div", { class: "ask" }, html("label", { for: id }, html("b", {}, "Write a review")), this.examples.row), this.field,
        html("div", { class: "verdicts" }, html("div", {}, "The net says", this.net),
          html("div", {}, "The bag of words says", this.bag)),
        html("div", { class: "score" }, this.list, this.marks), this.note,
        html("div", { class: "gm-row" }, this.dropping, this.exchanging, this.asking,
          html("span", { class: "gm-end" }, this.undoing, GM.button("Start again", () => this.put(first)))),
        ...this.status.lines);
    }

    draw() {
      const text = this.text = this.field.value, model = modelOf(this.data);
      const result = this.result = read(this.data, text), rows = result.tokens.length;
      this.selected = Math.min(this.selected, rows - 1);
      this.worth = this.asked && worth(this.data, text);
      this.net.textContent = `${percent(result.probability)} good`;
      this.bag.textContent = `${percent(result.bag.probability)} good`;
      this.marks.setAttribute("height", TOP + ROW * rows);
      this.marks.replaceChildren(...(this.worth ? worths(result, model, this.worth) : gates(result, model)), ...verdicts(result));
      this.list.parentNode.hidden = !rows;
      this.mark();
      const more = cut(text).spans.length - rows;
      this.note.textContent = [
        result.known.includes(false) && "Words in italics are not in the vocabulary; to the net they are all the same.",
        more > 0 && `The net reads ${this.data.longest} words and leaves out ${more}.`,
        !rows && "No word yet: this is what the net says to nothing.",
      ].filter(Boolean).join(" ");
      this.examples.select.value = 1 + this.data.examples.indexOf(text);
    }

    // Which words there are, and what can be done with the selected one. Rows are kept, and with them the focus.
    mark() {
      const { tokens, known } = this.result, k = this.selected, word = tokens[k], next = word && tokens[k + 1];
      while (this.options.length > tokens.length) this.options.pop().remove();
      while (this.options.length < tokens.length) {
        this.options.push(html("div", { role: "option" }, html("b"), html("span", { class: "gm-unseen" })));
        this.list.append(this.options.at(-1));
      }
      this.options.forEach((option, j) => {
        option.classList.toggle("unknown", !known[j]);
        option.firstChild.textContent = tokens[j];
        option.lastChild.textContent = `, ${this.about(j)}`;
        option.setAttribute("aria-selected", j === k);
        option.tabIndex = j === Math.max(k, 0) ? 0 : -1;
      });
      this.dropping.textContent = word ? `Drop ${quoted(word)}` : "Drop";
      this.exchanging.textContent = next ? `Exchange with ${quoted(next)}` : "Exchange";
      for (const [button, able] of [[this.dropping, word], [this.exchanging, next], [this.undoing, this.past.length]]) {
        button.setAttribute("aria-disabled", !able);
      }
    }

    about(k) {
      const { known, z, r, move, running, bag } = this.result;
      return `${known[k] ? "" : "not in the vocabulary, "}${percent(1 - z[k])} taken in, reset gate ${percent(r[k])} open, ` +
        `state moved by ${GM.written(move[k])}, verdict after it ${percent(running[k])} good` +
        `${this.worth ? `, worth ${signed(100 * this.worth[k], 0)} points to the net` : ""}, ${signed(bag.weights[k])} in the bag`;
    }

    select(k) {
      if (k === this.selected) return;
      this.selected = k;
      this.mark();
      this.status.say(`${quoted(this.result.tokens[k])}: ${this.about(k)}.`);
    }

    key(event) {
      const at = this.selected, last = this.options.length - 1;
      const to = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: last }[event.key];
      if (to !== undefined) this.options[Math.max(0, Math.min(to, last))].focus();
      else if (event.key === "Delete" || event.key === "Backspace") {
        this.drop();
        (this.options[this.selected] ?? this.field).focus();
      } else return;
      event.preventDefault();
    }

    // A new text; what was there before can be had again. One step back undoes all that was typed
    // since something else was done.
    put(text, says = () => this.verdict(), typing = false) {
      const was = this.result;
      if (text !== this.text && !(typing && this.typing)) this.past.push(this.text);
      this.typing = typing;
      if (!typing) this.field.value = text;
      this.draw();
      this.status.say(says(was, this.result));
    }

    undo() {
      const past = this.past.slice(0, -1);
      this.put(this.past.at(-1));
      this.past = past;
      this.mark();
    }

    drop() {
      const { source, spans } = cut(this.text), { word, from, to } = spans[this.selected];
      this.put(source.slice(0, from) + source.slice(to).trimStart(), (was, is) =>
        `Without ${quoted(word)} the net goes ${went(was, is)} good, the bag of words ${went(was.bag, is.bag)}.`);
    }

    exchange() {
      const { source, spans } = cut(this.text), [a, b] = spans.slice(this.selected, this.selected + 2);
      const part = (from, to) => source.slice(from, to);
      this.selected += 1; // the word stays selected, not its place
      this.put(part(0, a.from) + part(b.from, b.to) + part(a.to, b.from) + part(a.from, a.to) + part(b.to),
        (was, is) => `With ${quoted(b.word)} before ${quoted(a.word)} the net goes ${went(was, is)} good. ` +
        `The bag of words stays at ${percent(is.bag.probability)}: it does not see the order.`);
    }

    ask() {
      this.asked = !this.asked;
      this.asking.setAttribute("aria-pressed", this.asked);
      this.draw();
      const sizes = (this.worth || []).map(Math.abs), k = sizes.indexOf(Math.max(...sizes));
      this.status.say(k < 0 ? this.verdict() : `No word counts for more than ${quoted(this.result.tokens[k])}: without it ` +
        `the net would say ${percent(this.result.probability - this.worth[k])} good.`);
    }

    verdict() {
      const { probability, bag } = this.result;
      return `The net says ${percent(probability)} good, the bag of words ${percent(bag.probability)}.`;
    }
  }

  GMReview.read = read;
  GMReview.worth = worth;
  GM.define("gm-review", GMReview, STYLE);
})();
