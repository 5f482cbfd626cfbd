import { type ChildProcess, spawn } from "node:child_process";
import { Lines } from "../../lines.ts";

const LINE_MAX_BYTES = 4096;
const AGAIN_MS = 30_000;

/** A process that prints a line now and then, for as long as the node lives; one that ended is started again later. */
export class PrintingProcess implements Disposable {
  readonly #command: readonly [file: string, ...args: string[]];
  readonly #onLine: (line: string) => void;
  #child: ChildProcess | undefined;
  #again: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(command: readonly [file: string, ...args: string[]], onLine: (line: string) => void) {
    this.#command = command;
    this.#onLine = onLine;
    this.#start();
  }

  [Symbol.dispose](): void {
    this.#ended = true;
    clearTimeout(this.#again);
    this.#child?.kill("SIGKILL");
  }

  #start(): void {
    const [file, ...args] = this.#command;
    const lines = new Lines(LINE_MAX_BYTES);
    const child = spawn(file, args, { stdio: ["ignore", "pipe", "ignore"] });
    this.#child = child;
    child.stdout.on("data", (chunk: Buffer) => {
      const whole = lines.push(chunk);
      if (whole === undefined) child.kill("SIGKILL");
      else for (const line of whole) this.#onLine(line);
    });
    child.once("error", (error: NodeJS.ErrnoException) => {
      // What is not there will not come.
      if (error.code === "ENOENT") this.#ended = true;
    });
    child.once("close", () => {
      if (!this.#ended) this.#again = setTimeout(() => this.#start(), AGAIN_MS);
    });
  }
}
