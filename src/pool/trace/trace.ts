import { createWriteStream, openSync, type WriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import { SkyError } from "../../errors/sky-error.ts";
import type { EventBus } from "../../events/bus.ts";
import type { PoolView } from "../../events/views.ts";
import { messageOf } from "../message-of.ts";
import { ChromeTrace } from "./chrome-trace.ts";
import type { TraceEntry } from "./trace-entry.ts";

/** Text that is held before it goes to the file. */
const HELD = 64 * 1024;

/** A trace that is being written. */
export interface Trace extends AsyncDisposable {
  readonly file: string;
  /** Ends it; resolves when the file is whole. The pool's end does it too. */
  stop(): Promise<void>;
}

/** Writes a pool's events into a file as they happen: one entry a line, so that a file that was cut off can be read too. */
export class TraceFile implements Trace {
  readonly file: string;
  readonly #stream: WriteStream;
  readonly #trace: ChromeTrace;
  readonly #unsubscribe: () => void;
  readonly #problem: (message: string) => void;
  #held = "[\n";
  #stopping: Promise<void> | undefined;

  /** @throws SkyError SKY_BAD_OPTION where the file can't be written */
  constructor(file: string, bus: EventBus, view: PoolView, problem: (message: string) => void) {
    this.file = file;
    this.#problem = problem;
    this.#stream = createWriteStream(file, { fd: opened(file) });
    // What it says then is told when it is stopped.
    this.#stream.on("error", () => {});
    this.#trace = new ChromeTrace(view, (entry) => this.#write(entry));
    this.#unsubscribe = bus.subscribe((event) => this.#trace.add(event), {
      only: ["Task", "Tasks", "Node", "Error", "Transfer"],
    });
  }

  stop(): Promise<void> {
    return (this.#stopping ??= this.#stop());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(): Promise<void> {
    this.#unsubscribe();
    this.#trace.end(Date.now());
    try {
      // The last line has no comma behind it.
      this.#stream.end(`${this.#held.replace(/,\n$/, "")}\n]\n`);
      await finished(this.#stream);
    } catch (error) {
      this.#problem(`the trace ${this.file} could not be written: ${messageOf(error)}`);
    }
  }

  #write(entry: TraceEntry): void {
    this.#held += `${JSON.stringify(entry)},\n`;
    if (this.#held.length < HELD) return;
    // The last entry stays, since nobody knows yet whether another one follows.
    const end = this.#held.lastIndexOf("\n", this.#held.length - 2) + 1;
    this.#stream.write(this.#held.slice(0, end));
    this.#held = this.#held.slice(end);
  }
}

function opened(file: unknown): number {
  if (typeof file !== "string" || file === "")
    throw new SkyError("SKY_BAD_OPTION", `pool.trace takes the path of a file; got ${JSON.stringify(file)}`);
  try {
    return openSync(file, "w");
  } catch (cause) {
    throw new SkyError("SKY_BAD_OPTION", `pool.trace can't write to ${file}: ${messageOf(cause)}`, { cause });
  }
}
