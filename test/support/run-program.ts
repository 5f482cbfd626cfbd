import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { leftFiles, leftProcesses } from "./left-over.ts";

const root = join(import.meta.dirname, "../..");
const tsxCache = `tsx-${userInfo().uid}`;

export interface ProgramOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * A program of test/survival/programs in a process, group and session of its own, with its own temp directory. All that
 * descends from it carries `mark` in its environment.
 */
export class Program implements AsyncDisposable {
  readonly mark = `SURVIVAL=${randomBytes(6).toString("hex")}`;
  /** Its TMPDIR and XDG_RUNTIME_DIR; short, since sockets lie in it. */
  readonly dir = join(tmpdir(), `sv-${this.mark.slice(9)}`);
  readonly exit: Promise<ProgramEnd>;
  readonly #child: ChildProcess;
  #output = "";
  #heard: (() => void)[] = [];

  private constructor(name: string, { args = [], env = {} }: ProgramOptions) {
    mkdirSync(this.dir, { mode: 0o700 });
    mkdirSync(join(tmpdir(), tsxCache), { recursive: true });
    // Without it each program would compile all sources again.
    symlinkSync(join(tmpdir(), tsxCache), join(this.dir, tsxCache));
    const file = join(root, "test/survival/programs", `${name}.ts`);
    const child = spawn(process.execPath, ["--import", "tsx", "--conditions=skyward:source", file, ...args], {
      cwd: root,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        NODE_OPTIONS: "",
        TMPDIR: this.dir,
        XDG_RUNTIME_DIR: this.dir,
        SURVIVAL: this.mark.slice(9),
        ...env,
      },
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.#output += text;
        this.#wake();
      });
    }
    this.exit = once(child, "exit").then(([code, signal]) => {
      this.#wake();
      return { code: code as number | null, signal: signal as NodeJS.Signals | null };
    });
    // Its last words may come behind its exit.
    void once(child, "close").then(() => this.#wake());
  }

  static start(name: string, options: ProgramOptions = {}): Program {
    return new Program(name, options);
  }

  /** Runs a program to its end. @returns what it printed, which ends with "done" */
  static async run(name: string, options: ProgramOptions = {}): Promise<string> {
    await using program = Program.start(name, options);
    const end = await program.exit;
    await program.gone(3000);
    if (end.code !== 0 || !program.output.trimEnd().endsWith("done")) {
      throw new Error(`${name} ended with ${JSON.stringify(end)}:\n${program.output}`);
    }
    return program.output;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get output(): string {
    return this.#output;
  }

  /** The first match in what it prints. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#output);
      if (match) return match;
      if (this.#child.stdout!.closed || this.#child.stdout!.readableEnded)
        throw new Error(`the program ended without ${String(pattern)}:\n${this.#output}`);
      await new Promise<void>((resolve) => this.#heard.push(resolve));
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** As a terminal does on Ctrl-C. */
  killGroup(signal: NodeJS.Signals): void {
    process.kill(-this.pid, signal);
  }

  /** What descends from it and lives. */
  get processes(): string[] {
    return leftProcesses(
      this.mark.slice(9),
      this.#child.exitCode === null && this.#child.signalCode === null ? [this.pid] : [],
    );
  }

  get files(): string[] {
    return leftFiles(this.dir);
  }

  /** Resolves with the milliseconds until nothing of it was left; throws what is. */
  async gone(limitMs: number): Promise<number> {
    const began = performance.now();
    for (;;) {
      const left = [...this.processes, ...this.files];
      if (left.length === 0) return performance.now() - began;
      if (performance.now() - began > limitMs)
        throw new Error(`left after ${limitMs} ms:\n${left.join("\n")}\nthe program said:\n${this.#output}`);
      await sleep(20);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.exit;
    for (const line of this.processes) {
      try {
        process.kill(Number.parseInt(line, 10), "SIGKILL");
      } catch {
        // It ended by itself.
      }
    }
    rmSync(this.dir, { recursive: true, force: true });
  }

  #wake(): void {
    const heard = this.#heard;
    this.#heard = [];
    for (const one of heard) one();
  }
}
