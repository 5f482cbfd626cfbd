import { type ChildProcess, spawn } from "node:child_process";
import { Lines } from "../../lines.ts";

const LINE_MAX_BYTES = 4096;
/** One that says nothing will hardly say more soon. */
const FAILED_AGAIN_MS = 30_000;

export interface PrintingOptions {
  readonly command: readonly [file: string, ...args: string[]];
  /** When one that said something ended, another is started after this long. */
  readonly againMs: number;
  /** @returns whether the line says something */
  readonly onLine: (line: string) => boolean;
}

/** A process that prints a line now and then, for as long as the node lives; one that ended is started again later. */
export class PrintingProcess implements Disposable {
  readonly #options: PrintingOptions;
  #child: ChildProcess | undefined;
  #again: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(options: PrintingOptions) {
    this.#options = options;
    this.#start();
  }

  [Symbol.dispose](): void {
    this.#ended = true;
    clearTimeout(this.#again);
    this.#child?.kill("SIGKILL");
  }

  #start(): void {
    const { command, onLine, againMs } = this.#options;
    const [file, ...args] = command;
    let saidSomething = false;
    const lines = new Lines(LINE_MAX_BYTES);
    const child = spawn(file, args, { stdio: ["ignore", "pipe", "ignore"] });
    this.#child = child;
    child.stdout.on("data", (chunk: Buffer) => {
      const whole = lines.push(chunk);
      if (whole === undefined) child.kill("SIGKILL");
      else for (const line of whole) saidSomething = onLine(line) || saidSomething;
    });
    child.once("error", (error: NodeJS.ErrnoException) => {
      // What is not there will not come.
      if (error.code === "ENOENT") this.#ended = true;
    });
    child.once("close", () => {
      if (!this.#ended) this.#again = setTimeout(() => this.#start(), saidSomething ? againMs : FAILED_AGAIN_MS);
    });
  }
}
