// What was read and solved: marks in the contents and in the overview of the way. It is kept in this
// browser, under a key of this site, and What this browser keeps, at the foot of a page, forgets it. The
// answers are those that gm-cells.js keeps; they are only counted here. Also opens what is folded for print.
(() => {
  "use strict";
  const root = new URL(document.documentElement.dataset.content_root ?? "./", location.href).pathname;
  const KEY = `gm-way${root}`, MODE = ["mode", "theme"], WORK = "gm-work/", NOTEBOOKS = "Gated Memory "; // the last: gm-lite.js
  const attempt = act => { try { return act(localStorage); } catch { return null; } };
  const parsed = text => { try { return JSON.parse(text) ?? {}; } catch { return {}; } };
  const read = () => parsed(attempt(store => store.getItem(KEY)));
  const keys = begin => attempt(store => Object.keys(store).filter(key => key.startsWith(begin))) ?? [];
  const count = (many, what) => `${many} ${what}${many === 1 ? "" : "s"}`;
  const make = (name, attributes = {}, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };

  const end = document.querySelector(".gm-way-end");
  const exercises = parsed(end?.dataset.exercises ?? "{}");
  const solved = page => keys(`${WORK}${page}/`).filter(key => {
    const { text, right } = parsed(attempt(store => store.getItem(key)));
    return right !== undefined && right === text;
  }).length;

  function mark() {
    const seen = read();
    for (const link of document.querySelectorAll(".bd-links a.internal, .gm-way-list a")) {
      const { pathname } = new URL(link.href, location.href), page = pathname.slice(root.length).replace(/\.html$/, "");
      link.querySelector(".gm-mark")?.remove();
      const done = exercises[page] ? solved(page) : 0, whole = exercises[page] && done >= exercises[page];
      const said = done ? whole ? "solved" : `${done} of ${exercises[page]} solved` : !exercises[page] && seen[page] ? "read" : "";
      if (said) {
        link.append(make("span", { class: "gm-mark" }, make("span", { "aria-hidden": "true" }, done && !whole ? `${done}/${exercises[page]}` : "\u2713"),
          make("span", { class: "gm-said" }, `, ${said}`)));
      }
    }
  }

  if (end && "IntersectionObserver" in window) {
    const seen = new IntersectionObserver(([entry]) => {
      if (!entry.isIntersecting || (!scrollY && document.documentElement.scrollHeight > 1.5 * innerHeight)) return;
      seen.disconnect();
      const all = read();
      if (all[end.dataset.page]) return;
      attempt(store => store.setItem(KEY, JSON.stringify({ ...all, [end.dataset.page]: 1 })));
      mark();
    });
    seen.observe(end);
  }
  mark();
  addEventListener("storage", mark); // another tab
  addEventListener("pageshow", event => event.persisted && mark());
  document.addEventListener("click", () => setTimeout(mark)); // a check that has just come out right

  // What this browser keeps, and how it is forgotten.
  const opener = document.querySelector(".gm-forget");
  const ours = () => keys("gm-").filter(key => key !== KEY);
  async function notebooks() {
    const all = await Promise.resolve(attempt(() => indexedDB.databases?.())).catch(() => []) ?? [];
    const noted = Object.values(parsed(attempt(store => store.getItem("gm-lite-releases")))).map(release => NOTEBOOKS + release);
    return [...new Set([...all.map(({ name }) => name).filter(name => name?.startsWith(NOTEBOOKS)), ...noted])];
  }
  /** Whether a tab has a notebook open: it would keep again what is forgotten. */
  const open = async () => Boolean((await navigator.locks?.query())?.held.some(({ name }) => name === "gm-lite"));
  async function tell() {
    const pages = Object.keys(read()).length, work = keys(WORK).length, lite = await notebooks();
    const button = (text, act) => { const one = make("button", { type: "button" }, text); one.addEventListener("click", act); return one; };
    const dialog = make("dialog", { class: "gm-kept", "aria-labelledby": "gm-kept-title" });
    const row = make("p", { class: "gm-buttons" });
    const close = button("Close", () => dialog.close());
    const all = () => {
      say.textContent = "Your answers cannot be brought back; a notebook that you downloaded stays. Forget everything?";
      row.replaceChildren(button("Forget everything", async () => {
        if (await open()) return void (say.textContent = "A notebook is open in JupyterLite, in another tab. Close that tab first: it would keep everything again.");
        for (const key of [KEY, ...ours(), ...MODE]) attempt(store => store.removeItem(key));
        await Promise.all(lite.map(name => new Promise(done => { const asked = indexedDB.deleteDatabase(name); asked.onsuccess = asked.onerror = asked.onblocked = done; })));
        history.scrollRestoration = "manual"; // at the page's end it would be noted as read again
        location.reload();
      }), close);
      close.focus();
    };
    const say = make("p", { role: "status" }, pages || work || lite.length ? "What shall it forget?" : "There is nothing to forget.");
    row.append(...[pages && button("What I have read", () => {
      attempt(store => store.removeItem(KEY));
      mark();
      dialog.close();
    }), (work || ours().length || lite.length) && button("Everything, my answers too", all), close].filter(Boolean));
    dialog.append(make("h2", { id: "gm-kept-title" }, "What this browser keeps"),
      make("p", {}, `The pages that you have read to the end (${pages}), the cells that you have changed and what you solved in them (${count(work, "cell")}), ` +
        `notebooks opened in JupyterLite (${lite.length ? "some" : "none"}), and whether you read in light or dark. It is kept on this machine and sent nowhere.`), say, row);
    document.body.append(dialog);
    dialog.addEventListener("close", () => dialog.remove());
    dialog.showModal();
  }
  if (opener && attempt(store => store.length) !== null) {
    opener.hidden = false;
    opener.addEventListener("click", tell);
  }

  // On paper nothing is folded.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const one of opened) one.open = true;
  });
  addEventListener("afterprint", () => { for (const one of opened) one.open = false; });
})();
