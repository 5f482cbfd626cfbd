import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as sky from "skyward";
import { restore } from "../../src/cli/sweep/restore.ts";
import { readLedger } from "../../src/pool/ledger/read-ledger.ts";
import { sweep, type SweepReport } from "../../src/pool/ledger/sweep.ts";
import { remove } from "../../src/providers/created/remove.ts";
import { docker } from "../rig/docker.ts";
import { imageOf } from "../rig/images.ts";

const root = join(import.meta.dirname, "../..");
const SOURCE = ["--conditions=skyward:source", "--import", "tsx"];
/** What a machine's life may take at most, on a busy computer. */
const LIMIT_MS = 40_000;

/** Somebody with a ledger: a state directory, so an owner id, and the programs that use it. */
export class Someone implements AsyncDisposable {
  readonly home = mkdtempSync(join(tmpdir(), "skyward-someone-"));
  readonly #running = new Set<ChildProcess>();

  /** Starts test/machines/programs/controller.ts, or another one there. */
  async controller(env: Readonly<Record<string, string>>, program = "controller"): Promise<Controller> {
    const child = spawn(process.execPath, [...SOURCE, `test/machines/programs/${program}.ts`], {
      cwd: root,
      // Its input ends with the tests, whatever ends them.
      stdio: ["pipe", "pipe", "pipe"],
      // A group of its own, as a shell would give it.
      detached: true,
      env: { ...process.env, ...this.#env, IMAGE: await imageOf("baked"), ...env },
    });
    this.#running.add(child);
    return new Controller(child);
  }

  /** `sky` with these words, as a program. */
  sky(...words: readonly string[]): Promise<{ readonly code: number; readonly stdout: string }> {
    const env = { ...process.env, ...this.#env };
    return new Promise((resolve) => {
      execFile(process.execPath, [...SOURCE, "src/cli/main.ts", ...words], { cwd: root, env }, (error, stdout) =>
        resolve({ code: error === null ? 0 : Number(error.code), stdout }),
      );
    });
  }

  /** What `sky sweep` does, in this process. */
  sweep(yes = false): Promise<SweepReport> {
    return sweep({
      dir: this.#state,
      restore,
      also: [{ name: "container", options: { binary: "docker" } }],
      yes,
      remove,
    });
  }

  /** Names of machines on record. */
  async ledger(): Promise<string[]> {
    return (await readLedger(this.#state)).flatMap(({ entries }) => entries.map(({ name }) => name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#running) {
      child.kill("SIGCONT");
      child.kill("SIGKILL");
    }
    await this.sweep(true);
    rmSync(this.home, { recursive: true, force: true });
  }

  get #state(): string {
    return join(this.home, "skyward");
  }

  get #env(): Record<string, string> {
    return { XDG_STATE_HOME: this.home, NODE_OPTIONS: "" };
  }
}

/** One run of the controller. */
export class Controller {
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  readonly #child: ChildProcess;
  #output = "";

  constructor(child: ChildProcess) {
    this.#child = child;
    this.ended = once(child, "close").then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
    }));
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.#output += text;
        child.emit("said");
      });
    }
  }

  get output(): string {
    return this.#output;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** As a terminal does on Ctrl-C, and when it is closed. */
  signalGroup(name: NodeJS.Signals): void {
    try {
      process.kill(-this.#child.pid!, name);
    } catch {
      // It has ended.
    }
  }

  async says(what: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = what.exec(this.#output);
      if (found) return found;
      const said = once(this.#child, "said").then(() => true);
      const over = this.ended.then(() => false);
      if (!(await Promise.race([said, over])) && !what.test(this.#output)) {
        throw new Error(`it never said ${String(what)}:\n${this.#output}`);
      }
    }
  }

  /** Names of its owner's machines that are there now. */
  async machines(): Promise<string[]> {
    const [, owner = ""] = await this.says(/^owner (\w+)$/m);
    const listed = await sky.container().list(owner, AbortSignal.timeout(LIMIT_MS));
    return listed.map(({ name }) => name);
  }
}

/** Resolves when the machine has ended by itself; the engine removes it a moment later. */
export async function ends(name: string): Promise<void> {
  // It fails at once if it has gone already.
  await docker("wait", name).catch(() => undefined);
}
