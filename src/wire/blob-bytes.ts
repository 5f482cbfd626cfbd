import { Worker } from "node:worker_threads";

const READ_MAX_MS = 60_000;

/** Runs in the thread: fills the memory that it is given, and wakes who waits for it. */
const READER = `
require("node:worker_threads").parentPort.on("message", ({ blob, state, memory }) => {
  const tell = (end) => { Atomics.store(state, 0, end); Atomics.notify(state, 0); };
  blob.arrayBuffer().then((bytes) => { new Uint8Array(memory).set(new Uint8Array(bytes)); tell(1); }).catch(() => tell(2));
});`;

let reader: Worker | undefined;

/**
 * The bytes of a Blob at once, as a call encodes its arguments before it returns: another thread reads them meanwhile.
 * Undefined for a Blob that no thread but this one can read, such as one of a file.
 */
export function blobBytes(blob: Blob): Uint8Array | undefined {
  if (blob.size === 0) return new Uint8Array();
  const memory = new SharedArrayBuffer(blob.size);
  const state = new Int32Array(new SharedArrayBuffer(4));
  try {
    reader ??= begin();
    reader.postMessage({ blob, state, memory });
  } catch {
    return undefined;
  }
  Atomics.wait(state, 0, 0, READ_MAX_MS);
  return Atomics.load(state, 0) === 1 ? new Uint8Array(memory) : undefined;
}

function begin(): Worker {
  const worker = new Worker(READER, { eval: true, execArgv: [], env: {} });
  worker.unref();
  worker.on("error", () => (reader = undefined));
  return worker;
}
