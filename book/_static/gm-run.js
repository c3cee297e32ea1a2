// Python in the page, for whoever asks for it: window.gmRun. Nothing is fetched before that.
// The parts lie in run/<release>/, named by run/parts.json; builds without them have no data-gm-run.
(() => {
  "use strict";
  const KEPT = "gated-memory-run-";
  const root = document.documentElement;
  const staticFolder = new URL("./", document.currentScript.src);
  let told, fetched = {}, frame, port, loading, pending, session = 0, state = "idle";
  let progress = () => {};

  class Trouble extends Error {}

  const partsAt = () => root.dataset.gmRun && new URL(root.dataset.gmRun, location.href);

  async function parts() {
    if (!told) {
      let answer;
      try {
        answer = await fetch(partsAt(), { cache: "no-cache" });
      } catch {
        throw new Trouble("There is no connection to the site. Try again when there is.");
      }
      if (!answer.ok) throw new Trouble("This copy of the site has no Python for its pages.");
      told = await answer.json();
    }
    return told;
  }

  // Where the browser keeps nothing (private windows of some, pages that are not https), each visit fetches anew.
  async function shelf(release) {
    try {
      return await caches.open(KEPT + release);
    } catch {
      return null;
    }
  }

  async function forgetOthers(release) {
    try {
      for (const name of await caches.keys()) {
        if (name.startsWith(KEPT) && name !== KEPT + release) await caches.delete(name);
      }
    } catch { /* nothing is kept here */ }
  }

  async function whole(part, bytes) {
    if (!crypto.subtle) return bytes.byteLength === part.bytes;
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    return [...digest].map(byte => byte.toString(16).padStart(2, "0")).join("") === part.sha256;
  }

  async function part(one, release, arrived) {
    if (fetched[one.name]) return arrived(one.bytes);
    if (onItsWay[one.name]) return onItsWay[one.name].then(() => arrived(one.bytes)); // asked for before Stop
    onItsWay[one.name] = fetchOne(one, release, arrived).finally(() => { delete onItsWay[one.name]; });
    return onItsWay[one.name];
  }

  const onItsWay = {};
  async function fetchOne(one, release, arrived) {
    const url = new URL(`${release}/${one.file}`, partsAt()), kept = await shelf(release);
    let bytes = await kept?.match(url).then(answer => answer?.arrayBuffer()).catch(() => null);
    if (bytes && await whole(one, bytes)) arrived(one.bytes);
    else {
      const answer = await fetch(url, { cache: "no-cache" });
      if (answer.status === 404) throw new Trouble("The site has changed since this page was opened. Reload the page.");
      if (!answer.ok) throw new Trouble(`The site answered with error ${answer.status}. Try again in a moment.`);
      const pieces = [], reader = answer.body.getReader();
      for (let piece; !(piece = await reader.read()).done;) {
        pieces.push(piece.value);
        arrived(piece.value.length);
      }
      bytes = await new Blob(pieces).arrayBuffer();
      if (!await whole(one, bytes)) throw new Trouble("A part arrived damaged. Try again.");
      // A full disk keeps nothing, which costs only time.
      await kept?.put(url, new Response(bytes)).catch(() => {});
    }
    fetched[one.name] = bytes;
  }

  async function fetchParts(wanted, tell = what => progress(what)) {
    const { release, parts: all } = await parts(), mine = all.filter(wanted);
    const total = mine.reduce((sum, one) => sum + one.bytes, 0);
    let loaded = 0;
    const arrived = bytes => { loaded += bytes; tell({ loaded, total, say: "Fetching Python" }); };
    const outcomes = await Promise.allSettled(mine.map(one => part(one, release, arrived)));
    const failed = outcomes.find(outcome => outcome.status === "rejected");
    if (failed) {
      if (failed.reason instanceof Trouble) throw failed.reason;
      throw new Trouble("The connection broke off. What has arrived is kept: try again.");
    }
    forgetOthers(release);
    return { base: new URL(`${release}/`, partsAt()).href, total };
  }

  // The frame in which workers live. It has an origin of its own, so nothing that is kept for this site is
  // in its reach, and its policy lets it connect to nothing. It keeps the compiled part for the next worker.
  const JAIL = `<!doctype html><meta http-equiv="Content-Security-Policy"
    content="default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob:; worker-src blob:; connect-src blob:">
    <script>
      let worker, module;
      onmessage = ({ data, ports: [port] }) => {
        worker?.terminate();
        if (!data.code) return;
        worker = new Worker(URL.createObjectURL(new Blob([data.code], { type: "text/javascript" })));
        worker.onmessage = event => { // before any code of a reader runs
          if (event.data instanceof WebAssembly.Module) module ??= event.data;
        };
        worker.onerror = event => parent.postMessage({ broken: event.message || "the worker did not start" }, "*");
        worker.postMessage({ ...data, module }, [port]);
      };
      parent.postMessage({ open: true }, "*");
    </script>`;

  function jail() {
    return frame ??= new Promise(resolve => {
      const made = Object.assign(document.createElement("iframe"), { hidden: true, title: "Python", srcdoc: JAIL });
      made.setAttribute("sandbox", "allow-scripts");
      addEventListener("message", ({ source, data }) => {
        if (source !== made.contentWindow) return;
        if (data.open) resolve(made.contentWindow);
        if (data.broken) broken(data.broken);
      });
      document.body.append(made);
    });
  }

  const REACHED = { numpy: "Starting NumPy", course: "Starting the checks" };
  let ready = () => {}, broken = () => {};

  function hear({ data }) {
    if (data.reached) progress({ loaded: 1, total: 1, say: REACHED[data.reached] });
    if (data.ready) ready();
    if (data.printed) for (const [id, text] of data.printed) pending?.onPrint?.(id, text);
    if (data.done) settle(data.done);
    if (data.broken) broken(data.broken);
  }

  function end() {
    port?.close();
    frame?.then(window => window.postMessage({}, "*"));
    port = loading = undefined;
    state = "idle";
    session += 1;
  }

  function settle(result) {
    const { resolve } = pending ?? {};
    pending = undefined;
    if (port) state = "ready";
    resolve?.(result);
  }

  async function start() {
    state = "loading";
    const mine = session, goOn = () => { if (mine !== session) throw new Trouble("Stopped."); };
    const halted = new Promise((_, reject) => { stopped = () => reject(new Trouble("Stopped.")); });
    try {
      await Promise.race([halted, begin(goOn)]);
    } catch (error) {
      if (mine === session) end();
      throw error;
    }
  }

  async function begin(goOn) {
    const { base, total } = await fetchParts(one => one.name !== "editor.js");
    const code = await workerCode(), window = await jail();
    goOn();
    progress({ loaded: total, total, say: "Starting Python" });
    await new Promise((resolve, reject) => {
      const { port1, port2 } = new MessageChannel();
      port = port1;
      port.onmessage = hear;
      ready = resolve;
      broken = message => {
        const run = pending;
        pending = undefined;
        end();
        run?.resolve({ broken: message, cells: [] });
        reject(new Trouble(`Python did not start: ${message}`));
      };
      const packed = { ...fetched };
      delete packed["editor.js"];
      window.postMessage({ code, packed, base }, "*", [port2]);
    });
    goOn();
    state = "ready";
  }
  let stopped = () => {};

  let code;
  async function workerCode() {
    if (code) return code;
    const answer = await fetch(new URL("gm-worker.js", staticFolder)).catch(() => ({ ok: false }));
    if (!answer.ok) throw new Trouble("The connection broke off. What has arrived is kept: try again.");
    return code = await answer.text();
  }

  function load(onProgress) {
    if (onProgress) progress = onProgress;
    if (state === "ready" || state === "running") return Promise.resolve();
    return loading ??= start();
  }

  async function run({ cells, onPrint }) {
    await load();
    if (pending) throw new Trouble("Something is running already. Stop it first.");
    state = "running";
    return new Promise(resolve => {
      pending = { resolve, onPrint };
      port.postMessage({ run: cells });
    });
  }

  // Ends what runs, or what loads; the next run begins afresh.
  function stop() {
    end();
    stopped();
    settle({ stopped: true, cells: [] });
  }

  async function editor(parent, options) {
    await fetchParts(one => one.name === "editor.js", () => {});
    const unpacked = new Blob([fetched["editor.js"]]).stream().pipeThrough(new DecompressionStream("gzip"));
    const code = await new Response(unpacked).arrayBuffer();
    const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
    const { make } = await import(url);
    return make(parent, options);
  }

  window.gmRun = {
    available: async () => Boolean(partsAt()) && parts().then(() => true, () => false),
    release: async () => (await parts()).release,
    load, run, stop, editor,
    get session() { return session; },
    get state() { return state; },
  };
})();
