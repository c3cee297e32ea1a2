// The bar above a notebook in JupyterLite: where the work is kept, whether it is, a way to download it,
// to start afresh, to carry over what was done in an earlier release; and a Stop that stops.
(() => {
  "use strict";
  // As long as a notebook is open it is kept again and again: nobody forgets it meanwhile, see gm-way.js.
  navigator.locks?.request("gm-lite", { mode: "shared" }, () => new Promise(() => {}));
  const name = /([\w-]+)\.ipynb$/.exec(decodeURIComponent(new URLSearchParams(location.search).get("path") ?? ""))?.[1];
  const site = new URL("../../../", location.href);
  const QUIET = 800; // milliseconds without a change after which work is saved

  const make = (tag, properties = {}, ...children) => {
    const { data = {}, ...others } = properties;
    const element = Object.assign(document.createElement(tag), others);
    Object.assign(element.dataset, data);
    element.append(...children);
    return element;
  };
  const button = (text, act, properties) => make("button", { type: "button", textContent: text, onclick: act, ...properties });

  const status = make("span", { id: "gm-status", role: "status" });
  const stop = button("Stop", () => stopPython(), { hidden: true, className: "gm-stop" });
  const strip = make("div", { id: "gm-strip", hidden: true, role: "status" });
  const downloads = button("Download", () => download(), { disabled: true, title: "The notebook as a file, to keep or to hand in" });
  const dialogs = button("Your work", () => openDialog(), { disabled: true, ariaHasPopup: "dialog" });
  const bar = make("header", { id: "gm-bar", ariaLabel: "Your work" },
    make("a", { href: new URL(name ? `notebooks/${name}/${name}.html` : "book/index.html", site).href, className: "gm-back",
      title: "The page of this assignment" }, make("span", { ariaHidden: "true", textContent: "← " }), name ?? "Gated Memory"),
    status, stop, downloads, dialogs);
  document.body.prepend(bar, strip);

  // The site's own choice of light or dark.
  const dark = () => (localStorageItem("mode") ?? "auto") === "auto"
    ? matchMedia("(prefers-color-scheme: dark)").matches : localStorageItem("mode") === "dark";
  function localStorageItem(key) {
    try {
      return localStorage.getItem(key);
    } catch {
      return null; // a browser that keeps nothing
    }
  }
  document.documentElement.dataset.theme = dark() ? "dark" : "light";

  let panel, context, changes = 0, savedChanges = 0, timer, keeps = true, saving = Promise.resolve(), released;

  /** Wait until a value is there; JupyterLite says nowhere when it is. */
  async function until(value) {
    for (;;) {
      const found = value();
      if (found) return found;
      await new Promise(resolve => setTimeout(resolve, 50));
    }
  }

  function say(text, kind = "") {
    if (status.textContent !== text) status.textContent = text;
    bar.dataset.state = kind;
  }

  function told() {
    bar.dataset.saved = changes > savedChanges || !keeps ? "no" : savedChanges ? "yes" : "";
    const kernel = context?.sessionContext?.session?.kernel?.status;
    const waits = context && (!kernel || ["starting", "restarting", "connecting", "unknown"].includes(kernel));
    if (!keeps) say("This browser keeps nothing: download before you leave", "warning");
    else if (changes > savedChanges) say("Saving …");
    else if (broken) say("Python is not running");
    else if (waits) say(fetched.loaded < fetched.total
      ? `Fetching Python: ${megabytes(fetched.loaded)} of ${megabytes(fetched.total)} MB` : "Python is starting …");
    else if (savedChanges || worked) say("Saved in this browser");
    else say("Nothing to save yet");
  }
  let worked = false; // whether earlier work was opened
  let broken = false, fetched = {};
  const megabytes = bytes => (bytes / 1e6).toFixed(1);

  // boot.js tells how far it is, and what went wrong.
  new BroadcastChannel("gm-lite").onmessage = ({ data }) => {
    if (data.broken && context && context.sessionContext.session?.kernel?.status !== "idle") {
      broken = true;
      notice(`Python did not start. ${data.broken}`, button("Try again", () => {
        broken = false;
        hideStrip();
        restart();
      }));
    }
    if (data.total) fetched = data;
    told();
  };

  // Where the network fails while Jupyter itself is being fetched.
  const lost = event => {
    if (context || !(event.target?.tagName === "SCRIPT" || /ChunkLoad|import|fetch/i.test(String(event.reason)))) return;
    say("Jupyter did not start");
    notice("A part of Jupyter did not arrive.", button("Reload the page", () => location.reload()));
  };
  addEventListener("error", lost, true);
  addEventListener("unhandledrejection", lost);

  async function save() {
    clearTimeout(timer);
    if (!context || changes <= savedChanges) return saving;
    const upTo = changes;
    return saving = saving.then(async () => {
      try {
        await window.gmLite.note();
        await context.save();
        savedChanges = Math.max(savedChanges, upTo);
        keeps = keeps && await isKept();
      } catch (error) {
        keeps = false;
        console.warn(error);
      }
      told();
    });
  }

  /** Whether what was saved is in the browser's store, and not only in this page's memory. */
  async function isKept() {
    try {
      return Boolean(await window.gmLite.get(name));
    } catch {
      return false;
    }
  }

  function changed() {
    changes += 1;
    clearTimeout(timer);
    timer = setTimeout(save, QUIET);
    told();
  }

  const notebook = () => context.model.toJSON();
  function download() {
    window.gmLite.download(`${name}.ipynb`, notebook());
    if (!keeps) savedChanges = changes;
    save();
  }

  const restart = () => context.sessionContext.session.kernel.restart();

  async function stopPython() {
    stop.disabled = true;
    say("Stopping …");
    await restart();
    stop.hidden = true;
    stop.disabled = false;
    notice("Stopped. Python has started afresh and your text is as it was: run the cells again from the top.");
  }

  function notice(text, ...actions) {
    strip.replaceChildren(make("span", { textContent: text }), ...actions, button("Close", () => hideStrip()));
    strip.hidden = false;
    arrange();
  }
  function hideStrip() {
    strip.hidden = true;
    arrange();
  }
  /** Leave the notebook the height that the bar and the strip do not take. */
  function arrange() {
    const height = bar.offsetHeight + (strip.hidden ? 0 : strip.offsetHeight);
    document.documentElement.style.setProperty("--gm-top", `${height}px`);
    window.dispatchEvent(new Event("resize"));
  }

  const day = time => new Date(time).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });

  // The dialog.
  const dialog = make("dialog", { id: "gm-dialog", ariaLabel: "Your work" });
  document.body.append(dialog);
  async function openDialog() {
    const others = (await window.gmLite.works().catch(() => [])).filter(work => work.name === name
      && (work.aside || work.release !== document.documentElement.dataset.gmRelease));
    const file = make("input", { type: "file", accept: ".ipynb", hidden: true, onchange: () => openFile(file.files[0]) });
    dialog.replaceChildren(
      make("h2", { textContent: "Your work" }),
      make("p", { textContent: keeps
        ? "What you write is saved in this browser, on this device, a moment after you write it. It is sent nowhere. The browser may clear it: when you clear its data, when space is short, in Safari after a week without a visit. Download it when you stop."
        : "This browser keeps nothing for this page (a private window, or storage that is switched off). Your work is gone when you close this tab: download it before." }),
      make("p", { className: "gm-actions" },
        button("Download the notebook", () => download()),
        button("Open a file …", () => file.click()), file,
        button("Start afresh", () => startAfresh(), { disabled: !keeps })),
      make("p", { className: "gm-small", textContent:
        "The file can be opened in Jupyter on your own machine and handed in. Starting afresh, or opening a file, sets what is here aside: it is listed below." }),
      ...others.length ? [make("h3", { textContent: "Set aside in this browser" }), make("ul", {}, ...others.map(entry))] : [],
      make("p", { className: "gm-actions" }, button("Close", () => dialog.close(), { autofocus: true })));
    dialog.showModal();
  }

  function entry(work) {
    const earlier = work.release !== document.documentElement.dataset.gmRelease;
    return make("li", {}, make("span", { textContent: `${day(work.modified)}${earlier ? `, release ${work.release}` : ""} ` }),
      button("Download", async () => window.gmLite.download(`${name}.ipynb`, await window.gmLite.read(work.release, work.path))),
      button("Bring over", () => bringOver(work)),
      button("Delete", async event => {
        await window.gmLite.remove(work.release, work.path);
        event.target.closest("li").remove();
      }));
  }

  async function openFile(file) {
    let opened;
    try {
      opened = JSON.parse(await file.text());
      const cells = opened.nbformat >= 4 && Array.isArray(opened.cells) && opened.cells;
      if (!cells?.length || !cells.every(cell => typeof cell?.cell_type === "string")) throw new Error("no cells");
    } catch {
      alert("This file is no notebook.");
      return;
    }
    await replaceBy(() => window.gmLite.put(name, opened));
  }

  const startAfresh = () => replaceBy(() => window.gmLite.reset(name));

  /** Save, let the store be changed, and open what it has then. */
  async function replaceBy(act) {
    await save();
    await act();
    changes = savedChanges;
    context = null;
    location.reload();
  }

  async function bringOver(work) {
    const old = await window.gmLite.read(work.release, work.path);
    const { notebook: joined } = window.gmLite.carried(old, await fresh());
    await replaceBy(() => window.gmLite.put(name, joined));
  }

  const fresh = async () => released ??= await (await fetch(`../files/${window.gmLite.path(name)}`)).json();

  /** Work of an earlier release, where there is none in this one. */
  async function offer() {
    const works = await window.gmLite.works().catch(() => []);
    const here = document.documentElement.dataset.gmRelease;
    worked = works.some(work => work.name === name && work.release === here && !work.aside);
    const earlier = works.find(work => work.name === name && work.release !== here && !work.aside);
    if (worked || !earlier) return;
    const { count } = window.gmLite.carried(await window.gmLite.read(earlier.release, earlier.path), await fresh());
    notice(`This is a new release of the course. You have work from an earlier one, saved ${day(earlier.modified)}.`,
      ...count ? [button("Bring my answers over", () => bringOver(earlier))] : [],
      button("Download it", async () =>
        window.gmLite.download(`${name}.ipynb`, await window.gmLite.read(earlier.release, earlier.path))));
  }

  /** Jupyter's ■ asks a kernel to stop, which none in a browser hears; here it is ended and starts afresh. */
  function mend(kernel) {
    if (!kernel || kernel.gmMended) return;
    kernel.gmMended = true;
    kernel.interrupt = () => stopPython();
    let busy;
    kernel.statusChanged.connect((_, now) => {
      clearTimeout(busy);
      if (now === "busy") busy = setTimeout(() => { stop.hidden = false; }, 1500);
      else stop.hidden = true;
      told();
    });
  }

  /** Links of a notebook lead to files beside its folder; on the site those are pages. */
  function follow(event) {
    const link = event.target.closest?.(".jp-RenderedHTMLCommon a, .jp-OutputArea a");
    const [, page, hash = ""] = /(?:^|\/)(book\/[\w/-]+)\.(?:md|ipynb|html)(#[\w-]+)?$/.exec(
      link?.dataset.commandlinkerArgs ? "" : decodeURIComponent(link?.getAttribute("href") ?? "")) ?? [];
    if (!page) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    window.open(new URL(`${page}.html${hash}`, site), "_blank", "noopener");
  }
  document.addEventListener("click", follow, true);

  async function begin() {
    const app = await until(() => window.jupyterapp);
    panel = await until(() => app.shell.currentWidget?.context && app.shell.currentWidget);
    context = panel.context;
    await context.ready;
    downloads.disabled = dialogs.disabled = false;
    const { model } = context;
    // What a kernel writes about itself would keep Jupyter elsewhere from finding its own.
    const own = ["kernelspec", "language_info"].map(key => [key, model.getMetadata(key)]);
    const restore = () => own.forEach(([key, value]) => {
      if (value && JSON.stringify(model.getMetadata(key)) !== JSON.stringify(value)) model.setMetadata(key, value);
    });
    const session = context.sessionContext;
    const look = () => { restore(); mend(session.session?.kernel); told(); };
    session.kernelChanged.connect(look);
    session.statusChanged.connect(look);
    model.metadataChanged.connect(restore);
    look();
    let before = JSON.stringify(notebook().cells);
    model.contentChanged.connect(() => {
      const now = JSON.stringify(notebook().cells);
      if (now !== before) changed();
      before = now;
    });
    await app.restored;
    app.commands.execute("apputils:change-theme", { theme: dark() ? "JupyterLab Dark" : "JupyterLab Light" }).catch(() => {});
    arrange();
  }

  addEventListener("beforeunload", event => {
    if (changes > savedChanges || (!keeps && changes)) {
      save();
      event.preventDefault();
    }
  });
  document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && save());
  addEventListener("resize", event => event.isTrusted && arrange());
  say("Jupyter is starting …");
  arrange();
  offer();
  begin();
})();
