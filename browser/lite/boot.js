// Boots Pyodide for JupyterLite's kernel from the parts that the pages of the site run on: whoever has
// run a cell on a page has them already. The kernel's worker takes this script for Pyodide's own. It lies
// in lite/<release>/ of the site, and the parts in run/<release>/.
(() => {
  "use strict";
  const KERNEL = "@kernel@", TOTAL = Number("@bytes@"); // written in when the site is built
  // Unpacked among Python's packages. The kernel would install what it is made of; its archive has it all.
  const ARCHIVES = [KERNEL, "numpy.zip.gz", "course.zip.gz"];
  const tell = new BroadcastChannel("gm-lite"); // bar.js hears it

  const releaseOf = here => here.pathname.split("/").at(-2), shelfOf = here => `gated-memory-run-${releaseOf(here)}`;

  /** Functions that fetch the parts of a release: out of the browser's store where they are there. */
  async function parts(here) {
    const run = new URL(`../../run/${releaseOf(here)}/`, here);
    // Some private windows have no such store; then the parts are fetched each time.
    const shelf = await Promise.resolve().then(() => caches.open(shelfOf(here))).catch(() => null);

    let loaded = 0;
    async function packed(address) {
      const kept = await shelf?.match(address.href);
      if (kept) return kept;
      const fresh = await fetch(address, { cache: "no-cache" });
      if (!fresh.ok) throw new Error("The site has changed since this page was opened: save your work, then reload the page.");
      const pieces = [];
      for (let reader = fresh.body.getReader(), piece; !(piece = await reader.read()).done;) {
        pieces.push(piece.value);
        loaded += piece.value.length;
        tell.postMessage({ loaded, total: TOTAL });
      }
      const whole = new Blob(pieces);
      await shelf?.put(address.href, new Response(whole)).catch(() => {}); // a full disk keeps nothing, which costs only time
      return new Response(whole);
    }

    async function part(file, type) {
      const address = new URL(file, file === KERNEL ? here : run);
      const body = (await packed(address)).body.pipeThrough(new DecompressionStream("gzip"));
      return new Response(body, { headers: { "Content-Type": type } });
    }

    const address = async (file, type) => URL.createObjectURL(await (await part(file, type)).blob());
    return { run, part, address };
  }

  /** Pyodide fetches its WebAssembly by its name beside its own file: it gets the part. */
  function serveWasm(part) {
    const plain = self.fetch;
    self.fetch = (asked, ...rest) => String(asked?.url ?? asked).endsWith("/pyodide.asm.wasm")
      ? part("pyodide.asm.wasm.gz", "application/wasm")
      : plain(asked, ...rest);
    return () => { self.fetch = plain; };
  }

  self.loadPyodide = (options) => start(options).catch(async error => {
    // What was kept may be damaged: the next try fetches it anew.
    if (navigator.onLine !== false) await Promise.resolve().then(() => caches.delete(shelfOf(new URL(options.indexURL)))).catch(() => {});
    tell.postMessage({ broken: navigator.onLine === false ? "There is no connection to the site." : error.message });
    throw error;
  });

  async function start({ indexURL, packages, ...options }) {
    const { run, part, address } = await parts(new URL(indexURL));
    const archives = ARCHIVES.map(async file => (await part(file, "application/zip")).arrayBuffer());
    const [lock, library, loader, code] = await Promise.all([
      part("pyodide-lock.json.gz", "application/json").then(answer => answer.json()),
      address("python_stdlib.zip.gz", "application/zip"),
      address("pyodide.mjs.gz", "text/javascript"),
      address("pyodide.asm.js.gz", "text/javascript"),
    ]);
    const unserve = serveWasm(part);
    importScripts(code);
    const { loadPyodide } = await import(loader);
    const python = await loadPyodide({
      ...options, indexURL: run.href, packageBaseUrl: run.href, stdLibURL: library, lockFileContents: lock,
    });
    unserve();
    [library, loader, code].forEach(URL.revokeObjectURL);
    const extractDir = python.runPython("import sysconfig; sysconfig.get_path('purelib')");
    for (const archive of archives) python.unpackArchive(await archive, "zip", { extractDir });
    tell.postMessage({ loaded: TOTAL, total: TOTAL });
    return python;
  }
})();
