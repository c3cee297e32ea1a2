// The search: a field that any page opens (Ctrl K, / or its button), and the page search.html. What it
// searches, search-index.js, and what it searches with, MiniSearch, are loaded when a field is focused
// and not before. Sections are found by all words, or else by some; words may be begun or mistyped.
(() => {
  "use strict";
  const root = document.documentElement.dataset.content_root ?? "./";
  const own = document.currentScript.src.replace(/[^/]*$/, "");
  const AT_ONCE = 8, OF_A_PAGE = 2, ON_THE_PAGE = 30, AROUND = 90; // results; letters before and after a match

  const make = (name, attributes = {}, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };
  const script = src => new Promise((done, failed) => {
    document.head.append(Object.assign(make("script"), { src, onload: done, onerror: failed }));
  });
  const words = text => text.toLowerCase().split(/[^\p{L}\p{N}]+/u).filter(Boolean);

  /** A word without its ending, so that "vanishing gradients" are found where a gradient vanishes. */
  const stem = word => word.length < 4 ? word : word.replace(/(ss)$|s$/, "$1").replace(/^(.{4,})(?:ing|ed)$/, "$1").replace(/(.{3})e$/, "$1");
  const stems = text => words(text).map(stem);

  let engine;
  /** A function from a text to sections, best first; loaded once. */
  const load = () => engine ??= Promise.all([script(`${root}search-index.js`), script(`${own}vendor/minisearch/minisearch.min.js`)])
    .then(() => searching(window.gmSearchIndex)) // in pieces, or a phone would not answer for seconds
    .catch(error => { engine = undefined; throw error; });

  async function searching({ pages, sections, short }) {
    const index = new window.MiniSearch({ fields: ["title", "label", "page", "text"], tokenize: stems, processTerm: word => word, searchOptions: {
      boost: { title: 4, label: 3, page: 0.3 }, weights: { fuzzy: 0.3, prefix: 0.6 },
      prefix: word => word.length > 2, fuzzy: word => word.length > 3 && 0.2,
      boostDocument: n => pages[sections[n][0]][3] * sections[n][5],
    } });
    await index.addAllAsync(sections.map(([page, title, , label, text], id) => ({ id, title, label, page: pages[page][0], text })), { chunkSize: 10 });
    const sorted = phrase => phrase.split(" ").filter(word => !/^(a|and|in|of|or|the)?$/.test(word)).sort().join(" ");
    const read = [], spaced = text => ` ${stems(text).join(" ")} `;
    /** Heading, label and text of a section as stems between spaces. */
    const sides = id => read[id] ??= [1, 3, 4].map(part => spaced(sections[id][part]));
    const subjects = pages.flatMap((page, number) => page[4].map(words => ({ page: number, words: spaced(words), any: sorted(spaced(words)) })));
    /** The section that teaches what was asked for, where a page says that it is about just that. */
    const taught = (phrases, found, some) => {
      const inAnyOrder = phrases.map(sorted);
      const { page } = subjects.find(({ any }) => inAnyOrder.includes(any)) ?? subjects.find(({ words }) => phrases.some(phrase => words.startsWith(phrase))) ?? {};
      if (page === undefined) return found;
      const there = ({ id }) => sections[id][0] === page, named = ({ id }) => sides(id).slice(0, 2).some(side => phrases.some(phrase => side.includes(phrase)));
      const first = found.find(one => there(one) && named(one)) ?? found.find(there) ?? some().find(there);
      return first ? [first, ...found.filter(one => one !== first)] : found;
    };
    /** A word as it is written here, where nothing begins with what was typed. */
    const spelled = word => {
      if (word.length < 4 || short[word] || index.search(word, { fuzzy: false }).length) return word;
      const times = new Map();
      for (const fuzzy of [1, 2]) if (!times.size) for (const { terms } of index.search(word, { fuzzy, prefix: false })) for (const term of terms) times.set(term, (times.get(term) ?? 0) + 1);
      return [...times].sort((a, b) => b[1] - a[1])[0]?.[0] ?? word;
    };
    const either = word => short[word] ? { combineWith: "OR", queries: [word, { combineWith: "AND", queries: stems(short[word]) }] } : word;
    return query => {
      const asked = words(query).map(word => short[word] ? word : spelled(stem(word)));
      const phrases = [asked, asked.flatMap(word => short[word] ? stems(short[word]) : word)].map(one => ` ${one.join(" ")} `);
      if (!asked.length) return [];
      const known = new Set(), ask = combineWith => index.search({ combineWith, queries: asked.map(either) }).filter(({ id }) => !known.has(id) && known.add(id));
      // Words that stand side by side as they were typed are what was meant, most of all in a heading or a label.
      const closer = ({ score, ...more }) => {
        const [title, label, text] = sides(more.id), times = (place, many) => phrases.some(phrase => place.includes(phrase)) ? many : 1;
        return { ...more, score: score * times(title, 2) * times(text, 1.5) * (phrases.includes(label) ? 2 : 1) };
      };
      const best = found => found.map(closer).sort((a, b) => b.score - a.score);
      const all = best(ask("AND")), some = () => best(ask("OR"));
      return taught(phrases, [...all, ...(all.length < OF_A_PAGE * 2 && asked.length > 1 ? some() : [])], some).map(({ id, terms }) => {
        const [page, title, anchor, , text] = sections[id], [name, part, address] = pages[page];
        return { title, text, terms, asked, page, place: [part, title !== name && name].filter(Boolean).join(" \u00b7 "), href: `${root}${address}${title === name ? "" : `#${anchor}`}` };
      });
    };
  }

  const finder = terms => new RegExp(`(?<![\\p{L}\\p{N}])(?:${[...terms].sort((a, b) => b.length - a.length).join("|")})\\p{L}{0,3}(?![\\p{L}\\p{N}])`, "giu");

  /** A text with what was found marked in it. */
  function marked(text, terms) {
    const parts = [];
    let from = 0;
    for (const { 0: word, index } of text.matchAll(finder(terms))) {
      parts.push(text.slice(from, index), make("mark", {}, word));
      from = index + word.length;
    }
    return [...parts, text.slice(from)];
  }

  /** The piece of a text that holds the words side by side, or else most of what was found. */
  function excerpt(text, terms, asked) {
    const hits = [...text.matchAll(finder(terms))];
    let best = 0, most = 0;
    for (const { index } of hits) {
      const near = new Set(hits.filter(hit => hit.index >= index && hit.index < index + 2 * AROUND).map(hit => hit[0].toLowerCase())).size;
      if (near > most) [best, most] = [index, near];
    }
    const side = new RegExp(`(?<![\\p{L}\\p{N}])${asked.join("\\p{L}{0,3}[^\\p{L}\\p{N}]+")}`, "iu").exec(text);
    best = side?.index ?? best;
    let from = Math.max(0, best - AROUND), to = Math.min(text.length, best + 2 * AROUND);
    if (from) from = text.indexOf(" ", from) + 1;
    if (to < text.length) to = Math.max(text.lastIndexOf(" ", to), from);
    return `${from ? "\u2026 " : ""}${text.slice(from, to)}${to < text.length ? " \u2026" : ""}`;
  }

  const shown = ({ title, place, text, terms, asked, href }, more = {}) => make("a", { href, ...more },
    make("span", { class: "gm-search-title" }, ...marked(title, terms)), make("span", { class: "gm-search-place" }, place),
    make("span", { class: "gm-search-text" }, ...marked(excerpt(text, terms, asked), terms)));

  /** Answer what is typed into a field; `draw` shows the sections found. */
  function answer(input, status, draw) {
    const look = () => {
      const text = input.value;
      if (!words(text).length) return draw([], text), void (status.textContent = "");
      status.textContent = engine?.ready ? status.textContent : "Loading the index \u2026";
      load().then(search => {
        engine.ready = true;
        if (input.value !== text) return;
        const found = search(text);
        status.textContent = found.length ? "" : `Nothing is found for \u201c${text}\u201d.`;
        draw(found, text);
      }, () => { status.textContent = "The index could not be loaded. Try again when there is a connection."; });
    };
    input.addEventListener("focus", () => { load().catch(() => {}); });
    input.addEventListener("input", look);
    return look;
  }
  const count = n => `${n} ${n === 1 ? "section" : "sections"}`;

  let dialog, input;
  function build() {
    const status = make("p", { class: "gm-search-status", role: "status" });
    const list = make("ul", { class: "gm-search-found", role: "listbox", id: "gm-search-list", "aria-label": "Sections found" });
    input = make("input", { type: "search", name: "q", role: "combobox", "aria-label": "Search the course", "aria-expanded": "false", "aria-controls": "gm-search-list",
      "aria-autocomplete": "list", placeholder: "Search the course", autocomplete: "off", autocapitalize: "off", spellcheck: "false" });
    const close = make("button", { type: "button", class: "gm-search-close" }, "Close");
    dialog = make("dialog", { class: "gm-search-dialog", "aria-label": "Search" },
      make("form", { class: "gm-search", action: `${root}search.html`, method: "get", role: "search" }, make("i", { class: "fa-solid fa-magnifying-glass", "aria-hidden": "true" }), input, close), status, list);
    document.body.append(dialog);
    let at = -1;
    const choose = n => {
      const options = [...list.children];
      at = options.length ? (n + options.length) % options.length : -1;
      options.forEach((option, k) => option.setAttribute("aria-selected", String(k === at)));
      options[at]?.scrollIntoView({ block: "nearest" });
      if (options[at]) input.setAttribute("aria-activedescendant", options[at].id);
      else input.removeAttribute("aria-activedescendant");
    };
    answer(input, status, found => {
      const few = found.filter(({ page }, n) => found.slice(0, n).filter(one => one.page === page).length < OF_A_PAGE).slice(0, AT_ONCE);
      // The option itself is no link to a screen reader: it is chosen with Enter.
      list.replaceChildren(...few.map((one, n) => make("li", { role: "option", id: `gm-search-${n}`, "aria-selected": "false" }, shown(one, { tabindex: "-1", role: "presentation" }))));
      input.setAttribute("aria-expanded", String(few.length > 0));
      if (few.length) status.textContent = few.length < found.length ? `The best of ${count(found.length)}; Enter shows all.` : `${count(few.length)}.`;
      at = -1;
      input.removeAttribute("aria-activedescendant");
    });
    input.addEventListener("keydown", event => {
      if (event.isComposing) return;
      if (event.key === "ArrowDown") choose(at + 1);
      else if (event.key === "ArrowUp") choose(at < 0 ? -1 : at - 1);
      else if (event.key === "Enter" && at >= 0) list.children[at].firstChild.click();
      else if (event.key === "Escape") dialog.close();
      else return;
      event.preventDefault();
    });
    close.addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", event => (event.target === dialog || event.target.closest("a")) && dialog.close());
  }
  function open() {
    const field = document.querySelector(".gm-search-page input");
    if (field) return field.select();
    if (!dialog) build();
    if (!dialog.open) dialog.showModal();
    input.focus();
    input.select();
  }

  document.addEventListener("click", event => {
    if (!event.target.closest?.(".gm-search-open") || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open();
  });
  // Before the theme, whose own search is not there to be opened.
  addEventListener("keydown", event => {
    const writing = event.target.closest?.("input, textarea, select, [contenteditable]");
    const asked = event.key.toLowerCase?.() === "k" && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey;
    if (!asked && (event.key !== "/" || writing || event.ctrlKey || event.metaKey || event.altKey)) return;
    if (asked && writing?.closest(".cm-editor")) return; // there it is the editor's
    event.preventDefault();
    event.stopImmediatePropagation();
    open();
  }, true);

  const page = document.querySelector(".gm-search-page");
  if (page) {
    const field = page.querySelector("input"), status = page.querySelector("[role=status]"), list = page.querySelector("ol");
    field.focus(); // of our own, which is no sign that somebody will search
    const look = answer(field, status, (found, text) => {
      list.replaceChildren(...found.slice(0, ON_THE_PAGE).map(one => make("li", {}, shown(one))));
      if (found.length) status.textContent = found.length > ON_THE_PAGE ? `The best ${ON_THE_PAGE} of ${count(found.length)}.` : `${count(found.length)}.`;
      history.replaceState(null, "", `?${new URLSearchParams({ q: text })}`);
    });
    field.value = new URLSearchParams(location.search).get("q") ?? "";
    field.form.addEventListener("submit", event => { event.preventDefault(); look(); });
    if (field.value) look();
  }
})();
