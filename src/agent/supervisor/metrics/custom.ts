import { type ChildProcess, spawn } from "node:child_process";
import { Lines } from "../../lines.ts";
import { Tail } from "../../tail.ts";
import type { MetricSample } from "../../metric-spec.ts";
import { customValue } from "./readings.ts";

const LINE_MAX_BYTES = 4096;
/** Begins the line behind each run's output, which has its exit code. */
const END = "\x1e";
/** Runs the command whenever a line comes: in the shell itself, so that what the shell can do starts no process. */
const LOOP = `exec 3<&0 </dev/null; while read -r _ <&3; do cd "$2"; eval "$1"; printf '\\n\\036%s\\n' "$?"; done`;

export interface CustomOptions {
  readonly name: string;
  readonly command: string;
  readonly intervalMs: number;
  readonly send: (sample: MetricSample) => void;
  /** Told once. */
  readonly problem: (words: string) => void;
}

/** A command's number, now and then: one shell that goes on runs it. A run that takes long is waited for. */
export class Custom implements Disposable {
  readonly #options: CustomOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #stderr = new Tail();
  #child: ChildProcess | undefined;
  #running = false;
  #last = "";
  #failures = 0;
  #disposed = false;

  constructor(options: CustomOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.sample(), options.intervalMs).unref();
    this.sample();
  }

  sample(): void {
    if (this.#running || this.#disposed) return;
    this.#running = true;
    // A command with `exit` takes its shell with it.
    this.#child ??= this.#start();
    this.#child.stdin!.write("\n");
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    clearInterval(this.#timer);
    this.#child?.kill("SIGKILL");
  }

  #start(): ChildProcess {
    const args = ["-c", LOOP, "sh", this.#options.command, process.cwd()];
    const child = spawn("sh", args, { stdio: ["pipe", "pipe", "pipe"] });
    const lines = new Lines(LINE_MAX_BYTES);
    child.stdin.on("error", () => undefined);
    child.stderr.on("data", (chunk: Buffer) => this.#stderr.push(chunk));
    child.stdout.on("data", (chunk: Buffer) => {
      const whole = lines.push(chunk);
      if (whole === undefined) child.kill("SIGKILL");
      else for (const line of whole) this.#take(line);
    });
    child
      .once("error", () => undefined)
      .once("close", (code, signal) => {
        this.#child = undefined;
        if (this.#running) this.#ended(signal ?? String(code));
      });
    return child;
  }

  #take(line: string): void {
    if (line.startsWith(END)) this.#ended(line.slice(1));
    else if (line.trim() !== "") this.#last = line;
  }

  #ended(how: string): void {
    const { name, command, send, problem } = this.#options;
    const [last, said] = [this.#last, this.#stderr.toString().trim().split("\n").at(-1) ?? ""];
    this.#running = false;
    this.#last = "";
    const sample = customValue(name, last);
    if (sample !== undefined) return send(sample);
    // By the second time what the first one said on stderr has come.
    if (this.#disposed || ++this.#failures !== 2) return;
    const printed = last === "" ? "nothing" : JSON.stringify(last);
    const words = said === "" ? "" : `: ${said}`;
    problem(
      `the metric ${name} has no value: \`${command}\` printed ${printed} (${how === "0" ? "no number" : `exit code ${how}`})${words}`,
    );
  }
}
