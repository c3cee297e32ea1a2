// Runs Python for a page, in a worker: an endless loop holds nobody up, and ending the worker ends it.
// gm-run.js starts it in a frame that belongs to no site and may connect to nothing. The frame sends the
// parts, still packed, and a port; through the port come cells, and answers go back.

const packed = {};          // the parts as they came
let python, port;           // what runs cells, once it is there; the way to the page

const say = (kind, value) => port.postMessage({ [kind]: value });

async function unpacked(name) {
  const stream = new Blob([packed[name]]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

async function address(name, type = "text/javascript") {
  return URL.createObjectURL(new Blob([await unpacked(name)], { type }));
}

// Pyodide fetches its WebAssembly itself; it gets what is here already, compiled once for the page.
function compiled(module) {
  const fetched = self.fetch;
  self.fetch = (url, options) =>
    String(url).endsWith("pyodide.asm.wasm") ? Promise.resolve(new Response()) : fetched(url, options);
  WebAssembly.instantiateStreaming = async (_, imports) =>
    ({ module, instance: await WebAssembly.instantiate(module, imports) });
}

async function started({ module, base }) {
  if (!module) {
    module = await WebAssembly.compile(await unpacked("pyodide.asm.wasm"));
    postMessage(module);  // to the frame, for the next worker
  }
  compiled(module);
  const [code, library, lock, loader] = await Promise.all([
    address("pyodide.asm.js"), address("python_stdlib.zip", "application/zip"),
    unpacked("pyodide-lock.json"), address("pyodide.mjs"),
  ]);
  await import(code);
  const { loadPyodide } = await import(loader);
  const heard = { batched: text => print("", `${text}\n`) };  // what is written past Python's own streams
  const pyodide = await loadPyodide({
    indexURL: base, packageBaseUrl: base, stdLibURL: library, lockFileContents: new TextDecoder().decode(lock),
    stdin: () => null, stdout: heard.batched, stderr: heard.batched,
  });
  say("reached", "numpy");
  const site = pyodide.runPython("import sysconfig; sysconfig.get_path('purelib')");
  for (const name of ["numpy.zip", "course.zip"]) {
    pyodide.unpackArchive(await unpacked(name), "zip", { extractDir: site });
  }
  pyodide.runPython("import numpy");
  say("reached", "course");
  const page = pyodide.pyimport("autograder.checking.page");
  const session = page.begin();
  return cells => page.run(session, JSON.stringify(cells), print);
}

// What is printed goes on in pieces, so that a print in every round of a loop floods nobody.
let waiting = [], sent = 0;
function print(id, text) {
  const last = waiting[waiting.length - 1];
  if (last && last[0] === id) last[1] += text;
  else waiting.push([id, text]);
  if (performance.now() - sent > 50) flush();
}
function flush() {
  if (waiting.length) say("printed", waiting);
  waiting = [];
  sent = performance.now();
}

async function told({ data }) {
  try {
    const run = await python, begun = performance.now();
    const results = run(data.run);
    flush();
    say("done", { cells: JSON.parse(results), seconds: (performance.now() - begun) / 1000 });
  } catch (error) {
    flush();
    say("broken", String(error && error.message || error));
  }
}

onmessage = async ({ data, ports }) => {
  [port] = ports;
  port.onmessage = told;
  Object.assign(packed, data.packed);
  try {
    python = started(data);
    await python;
    for (const name of Object.keys(packed)) delete packed[name];
    say("ready", true);
  } catch (error) {
    say("broken", String(error && error.message || error));
  }
};
