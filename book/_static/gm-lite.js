// Carries notebooks into JupyterLite's store of this browser and out of it: window.gmLite.
//
// Every release has a store of its own, an IndexedDB database in the shape that localForage gives it:
// the object store "files" has a notebook's path as key and Jupyter's model of the file as value. Nothing
// is overwritten: what would be is set aside first, as another file beside the notebook.
(() => {
  "use strict";
  const NAME = "Gated Memory ", FILES = "files", COPIES = 8;
  const root = document.documentElement;
  const site = new URL("../", document.currentScript.src);
  const path = name => `notebooks/${name}/${name}.ipynb`;

  let own;
  /** The release whose notebooks are opened from here: of this page in JupyterLite, of the site elsewhere. */
  const release = () => own ??= root.dataset.gmRelease
    ? Promise.resolve(root.dataset.gmRelease)
    : fetch(new URL("run/parts.json", site), { cache: "no-cache" }).then(answer => {
        if (!answer.ok) throw new Error("This copy of the site has no JupyterLite.");
        return answer.json();
      }).then(told => told.release);

  const done = request => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("Another tab has this notebook open. Close it and try again."));
  });

  function request(database, version, create) {
    try {
      const asked = indexedDB.open(database, version);
      asked.onupgradeneeded = () => {
        if (create) asked.result.createObjectStore(FILES);
        else asked.transaction.abort(); // it did not exist, and is not to
      };
      return done(asked);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** The open database of a release; null where it has none and none is to be made. */
  async function database(of, create = false) {
    const name = NAME + of;
    let opened;
    try {
      opened = await request(name, undefined, create);
    } catch (error) {
      if (!create) return null;
      throw new Error("This browser keeps nothing for this page (a private window, or storage that is switched off).");
    }
    if (!opened.objectStoreNames.contains(FILES)) {
      const version = opened.version + 1;
      opened.close();
      if (!create) return null;
      opened = await request(name, version, true);
    }
    opened.onversionchange = () => opened.close();
    return opened;
  }

  async function inside(of, mode, act, otherwise) {
    const opened = await database(of, mode === "readwrite");
    if (!opened) return otherwise;
    try {
      const change = opened.transaction(FILES, mode), result = await act(change.objectStore(FILES));
      if (mode === "readwrite") await new Promise((resolve, reject) => {
        change.oncomplete = resolve;
        change.onerror = change.onabort = () => reject(change.error ?? new Error("The browser did not keep it."));
      });
      return result;
    } finally {
      opened.close();
    }
  }

  /** A notebook as Jupyter's model of a file, the way JupyterLite itself writes it. */
  function model(file, notebook, before) {
    const now = new Date().toISOString();
    return {
      name: file.split("/").at(-1), path: file, last_modified: now, created: before?.created ?? now,
      format: "json", mimetype: "application/x-ipynb+json", content: notebook,
      size: new TextEncoder().encode(JSON.stringify(notebook)).length, writable: true, type: "notebook",
    };
  }

  /** As a file has it, and without its own word that its outputs may run as they like: Jupyter takes that word. */
  function untrusted(notebook) {
    const copy = JSON.parse(JSON.stringify(notebook));
    for (const { metadata } of copy.cells) delete metadata?.trusted;
    return copy;
  }

  const content = kept => typeof kept?.content === "string" ? JSON.parse(kept.content) : kept?.content ?? null;
  const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

  /** Set the notebook of this name aside under another, and leave its place to `then`. */
  async function aside(files, name, then) {
    const before = await done(files.get(path(name)));
    if (before && !same(content(before), then)) {
      const file = path(name).replace(".ipynb", `.${before.last_modified.replace(/\D/g, "").slice(0, 17)}.ipynb`);
      await done(files.put({ ...before, name: file.split("/").at(-1), path: file }, file));
      const copies = (await done(files.getAllKeys())).filter(key => key.startsWith(`notebooks/${name}/${name}.2`));
      for (const oldest of copies.sort().slice(0, -COPIES)) await done(files.delete(oldest));
    }
    return before;
  }

  /** What is kept in this browser: release, name, path and time of each notebook, the newest first. */
  async function works() {
    const found = [];
    for (const of of await kept()) {
      const models = await inside(of, "readonly", files => done(files.getAll()), []);
      for (const { path: file, last_modified } of models) {
        const [, name] = /^notebooks\/([\w-]+)\/[^/]+\.ipynb$/.exec(file) ?? [];
        if (name) found.push({ release: of, name, path: file, modified: last_modified, aside: file !== path(name) });
      }
    }
    return found.sort((a, b) => b.modified.localeCompare(a.modified));
  }

  /** The releases that have a store. Browsers that do not list databases are asked for those we noted. */
  async function kept() {
    const noted = JSON.parse(safely(() => localStorage.getItem("gm-lite-releases")) ?? "[]");
    const listed = await Promise.resolve(safely(() => indexedDB.databases?.())).catch(() => []) ?? [];
    const names = listed.map(({ name }) => name).filter(name => name?.startsWith(NAME));
    return [...new Set([...names.map(name => name.slice(NAME.length)), ...noted])];
  }

  function safely(act) {
    try {
      return act();
    } catch {
      return undefined;
    }
  }

  async function note() {
    const of = await release(), noted = JSON.parse(safely(() => localStorage.getItem("gm-lite-releases")) ?? "[]");
    if (!noted.includes(of)) safely(() => localStorage.setItem("gm-lite-releases", JSON.stringify([...noted, of])));
  }

  /** Write a notebook where JupyterLite opens it; true where other work was set aside for it. */
  async function put(name, notebook) {
    const of = await release();
    await note();
    notebook = untrusted(notebook);
    return inside(of, "readwrite", async files => {
      const before = await aside(files, name, notebook);
      await done(files.put(model(path(name), notebook, before), path(name)));
      return Boolean(before) && !same(content(before), notebook);
    });
  }

  /** The notebook as it was last saved in JupyterLite; null where nobody has worked on it there. */
  const get = async name => read(await release(), path(name));
  async function read(of, file) {
    const found = await inside(of, "readonly", files => done(files.get(file)).then(content), null);
    return found && untrusted(found);
  }

  /** Let the released notebook open again; the work on it is set aside. */
  const reset = async name => inside(await release(), "readwrite", async files => {
    await aside(files, name, null);
    await done(files.delete(path(name)));
  });

  const remove = (of, file) => inside(of, "readwrite", files => done(files.delete(file)));

  /** Earlier releases in which something was worked on: [{release, notebooks: [name, ...], modified}]. */
  async function releases() {
    const now = await release(), found = new Map();
    for (const { release: of, name, modified } of await works()) {
      if (of === now) continue;
      if (!found.has(of)) found.set(of, { release: of, notebooks: [], modified });
      if (!found.get(of).notebooks.includes(name)) found.get(of).notebooks.push(name);
    }
    return [...found.values()];
  }

  const answers = cell => cell.metadata?.nbgrader?.solution && cell.metadata.nbgrader.grade_id;

  /** The text of `fresh` with the answers of `old`, and how many of those differ from what stood there. */
  function carried(old, fresh) {
    const written = new Map(old.cells.filter(answers).map(cell => [answers(cell), cell.source]));
    const joined = source => [source].flat().join("");
    let count = 0;
    const cells = fresh.cells.map(cell => {
      const source = written.get(answers(cell));
      if (source === undefined || joined(source) === joined(cell.source)) return cell;
      count += 1;
      return { ...cell, source, ...cell.cell_type === "code" && { outputs: [], execution_count: null } };
    });
    return { notebook: { ...fresh, cells }, count };
  }

  /** Hand a notebook to the reader as a file. */
  function download(name, notebook) {
    const file = new Blob([`${JSON.stringify(untrusted(notebook), null, 1)}\n`], { type: "application/x-ipynb+json" });
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(file), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }

  window.gmLite = {
    put, get, reset, read, remove, works, releases, carried, download, note, path, release,
    /** The address that opens a notebook in JupyterLite, in whatever release the site then has. */
    url: name => new URL(`lite/index.html?open=${encodeURIComponent(name)}`, site).href,
  };
})();
