// A cancel passes a large transfer over a link of 20 Mbit/s.
import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import * as sky from "skyward";
import { wrapMachines } from "../../support/wrap-machines.ts";

const MB = 1024 * 1024;
const BYTES_PER_MS = 20_000_000 / 8 / 1000;

/** Passes what is written at 20 Mbit/s. */
class Slow extends Duplex {
  readonly #inner: Duplex;

  constructor(inner: Duplex) {
    super({ allowHalfOpen: false });
    this.#inner = inner;
    inner.on("data", (chunk: Buffer) => this.push(chunk));
    inner.on("close", () => this.destroy());
    inner.on("error", () => this.destroy());
  }

  override _read(): void {
    this.#inner.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    setTimeout(() => void this.#inner.write(chunk, () => done()), chunk.length / BYTES_PER_MS);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#inner.destroy();
    done(error);
  }
}

const provider = wrapMachines(sky.local(), (machine) => ({
  connect: async (kind, key, signal) => {
    const stream = await machine.connect(kind, key, signal);
    return kind === "control" ? stream : new Slow(stream);
  },
}));

const waits = sky.fn(
  () =>
    new Promise<string>((resolve) => {
      const { signal, progress } = sky.task();
      progress(1);
      signal.addEventListener("abort", () => {
        console.log("stopped on the node");
        resolve("");
      });
    }),
);
const size = sky.fn((bytes: Uint8Array) => bytes.length);

await sky.compute({ nodes: 1, provider, worker: { concurrency: 2 }, console: "silent" }, async (pool) => {
  let stopped: () => void = () => {};
  const heard = new Promise<void>((resolve) => (stopped = resolve));
  let started: () => void = () => {};
  const began = new Promise<void>((resolve) => (started = resolve));
  void (async () => {
    for await (const event of pool.events) {
      if (event.type === "Log.Emitted" && event.message === "stopped on the node") stopped();
      if (event.type === "Task.Progress") started();
    }
  })();
  await pool.run(size(new Uint8Array(1)));
  const running = pool.run(waits());
  await began;
  const large = pool.run(size(new Uint8Array(40 * MB)));
  const shared = pool.put(new Uint8Array(20 * MB).fill(1));
  const other = pool.run(size(shared));
  await sleep(500);
  const from = performance.now();
  running.cancel();
  await heard;
  const tookMs = performance.now() - from;
  console.log(`ok the cancel took effect after ${Math.round(tookMs)} ms`);
  assert(tookMs < 1000, `${tookMs} ms`);
  assert.equal(large.status === "done" || other.status === "done", false);
  // What is cancelled stops leaving, so that what comes behind it does not wait for it.
  large.cancel();
  other.cancel();
  shared.release();
  assert.equal(await pool.run(size(new Uint8Array(2 * MB))), 2 * MB);
  const sent = pool.stats()[0]!.bytesSent / MB;
  assert(sent < 20, `${sent} MB left`);
  await Promise.allSettled([running, large, other]);
});
console.log("done");
