// Sound for <gm-listen>: played, heard through a microphone, and turned into the coefficients of
// experiments/sound.py. Nothing that is heard leaves the page.
//
// Needs gm-elements.js before it, and adds to its `window.GM`.
(() => {
  const GM = window.GM;
  const RATE = 8000, FRAME = 400, HOP = 200, BANDS = 128, COEFFICIENTS = 13, FLOOR = 1e-10, RANGE = 80; // as in sound.py

  // From samples to coefficients: four matrices, built when the first sound is heard.
  let tables;
  function matrices() {
    const matrix = (rows, columns, entry) => ({ shape: [rows, columns],
      values: Float64Array.from({ length: rows * columns }, (_, k) => entry(Math.floor(k / columns), k % columns)) });
    const turn = 2 * Math.PI / FRAME, wave = (shape) => matrix(FRAME / 2 + 1, FRAME, (row, n) =>
      (0.5 - 0.5 * Math.cos(turn * n)) * shape(turn * (row * n % FRAME)));
    const top = Math.log10(1 + RATE / 2 / 700), edge = (k) => 700 * (10 ** (k * top / (BANDS + 1)) - 1);
    return {
      cos: wave(Math.cos), sin: wave(Math.sin), none: { values: new Float64Array(FRAME) },
      bands: matrix(BANDS, FRAME / 2 + 1, (band, row) => {
        const hertz = row * RATE / FRAME, [low, mid, high] = [edge(band), edge(band + 1), edge(band + 2)];
        return Math.max(0, Math.min((hertz - low) / (mid - low), (high - hertz) / (high - mid)));
      }),
      cosines: matrix(COEFFICIENTS, BANDS, (row, band) =>
        Math.sqrt((row ? 2 : 1) / BANDS) * Math.cos(Math.PI * row * (2 * band + 1) / (2 * BANDS))),
    };
  }

  function joined(first, second) {
    const both = new Float64Array(first.length + second.length);
    both.set(first);
    both.set(second, first.length);
    return both;
  }

  /** The coefficients of a sound that is still going on, as sound.Listener has them. */
  class Listener {
    rest = new Float64Array(FRAME - HOP);
    loudest = -Infinity;

    hear(samples) {
      const { cos, sin, none, bands, cosines } = tables ??= matrices(), frames = [];
      this.rest = joined(this.rest, samples);
      for (; this.rest.length >= FRAME; this.rest = this.rest.subarray(HOP)) {
        const frame = this.rest.subarray(0, FRAME), imaginary = GM.affine(sin, frame, none);
        const power = GM.affine(cos, frame, none).map((real, k) => real ** 2 + imaginary[k] ** 2);
        const loud = GM.affine(bands, power, none).map((sum) => 10 * Math.log10(Math.max(FLOOR, sum)));
        this.loudest = Math.max(this.loudest, ...loud);
        frames.push(GM.affine(cosines, loud.map((level) => Math.max(level, this.loudest - RANGE)), none));
      }
      this.rest = this.rest.slice(); // lets go of what was heard
      return frames;
    }
  }
  const mfcc = (samples) => new Listener().hear(samples);

  /** Turns samples at another rate, as they come, into 8000 a second: a windowed sinc passes what lies below 3.6 kHz. */
  function resampler(rate) {
    const ratio = rate / RATE, WIDE = 16, FINE = 512, reach = WIDE * ratio;
    const table = Float64Array.from({ length: WIDE * FINE + 1 }, (_, k) => {
      const u = 0.9 * Math.PI * k / FINE;
      return 0.9 / ratio * (k ? Math.sin(u) / u : 1) * (0.5 + 0.5 * Math.cos(Math.PI * k / FINE / WIDE));
    });
    let kept = new Float64Array(Math.ceil(reach)), at = kept.length; // the next sample stands at `at` of `kept`
    return (samples) => {
      const out = [];
      for (kept = joined(kept, samples); at + reach < kept.length; at += ratio) {
        let sum = 0;
        for (let n = Math.ceil(at - reach); n <= at + reach; n++) sum += kept[n] * table[Math.round(Math.abs(n - at) / ratio * FINE)];
        out.push(sum);
      }
      const done = Math.max(0, Math.floor(at - reach));
      kept = kept.slice(done);
      at -= done;
      return Float64Array.from(out);
    };
  }

  const WORKLET = `registerProcessor("gm-ears", class extends AudioWorkletProcessor {
    process([[samples]]) { if (samples) this.port.postMessage(samples.slice()); return true; } })`;

  async function connected(source, options, heard) {
    const context = new AudioContext(options), module = URL.createObjectURL(new Blob([WORKLET], { type: "text/javascript" }));
    try {
      const input = context.createMediaStreamSource(source);
      await context.audioWorklet.addModule(module);
      const node = new AudioWorkletNode(context, "gm-ears");
      const slower = context.sampleRate === RATE ? (samples) => samples : resampler(context.sampleRate);
      node.port.onmessage = ({ data }) => heard(slower(data));
      input.connect(node).connect(context.destination); // plays silence, or some browsers would not run it
      await context.resume();
      return context;
    } catch (error) {
      context.close();
      throw error;
    } finally {
      URL.revokeObjectURL(module);
    }
  }

  /** Asks for the microphone; `heard` gets its samples as they come, 8000 a second, and `gone` is called where it
   * is unplugged or taken back. Returns what ends it, or throws what the browser says. */
  async function microphone(heard, gone) {
    const source = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, echoCancellation: false,
      noiseSuppression: false, autoGainControl: false } });
    source.getTracks().forEach((track) => track.addEventListener("ended", gone));
    const off = () => source.getTracks().forEach((track) => track.stop());
    try {
      // Where a browser does not connect a microphone to a context of another rate, we resample.
      const context = await connected(source, { sampleRate: RATE }, heard).catch(() => connected(source, {}, heard));
      return () => [off(), context.close()];
    } catch (error) {
      off();
      throw error;
    }
  }

  /** Words one after the other, each with a pause after it: samples, and [first frame, frame after the last, word]. */
  function spoken({ samples: packed, lengths, pause }) {
    const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0)), spans = [];
    const waves = Float32Array.from(new Int16Array(bytes.buffer), (value) => value / 32768);
    const samples = new Float32Array(waves.length + pause * lengths.length);
    let from = 0, at = 0;
    lengths.forEach((length, word) => {
      samples.set(waves.subarray(from, from + length), at);
      spans.push([Math.floor(at / HOP), Math.ceil((at + length) / HOP), word]);
      from += length;
      at += length + pause;
    });
    return { samples, spans };
  }

  /** Plays samples from a second on; returns what ends it. */
  function play(samples, second) {
    const context = new AudioContext(), buffer = context.createBuffer(1, samples.length, RATE);
    const node = context.createBufferSource();
    buffer.copyToChannel(samples, 0);
    node.buffer = buffer;
    node.connect(context.destination);
    node.start(0, second);
    return () => context.close();
  }

  Object.assign(GM, { RATE, HOP, Listener, mfcc, resampler, microphone, spoken, play });
})();
