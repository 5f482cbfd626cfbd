import { execFile, execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A real terminal: tmux, on a server of its own, with one program in it. */
export class Terminal implements AsyncDisposable {
  readonly #socket = `sky-${randomBytes(6).toString("hex")}`;

  /** @param command for `sh`; the terminal stays when it has ended */
  static async open(
    command: string,
    { columns = 110, rows = 24, env = {} }: { columns?: number; rows?: number; env?: Record<string, string> } = {},
  ): Promise<Terminal> {
    const terminal = new Terminal();
    const size = ["-x", String(columns), "-y", String(rows)];
    const words = [
      "-f",
      "/dev/null",
      "new-session",
      "-d",
      ...size,
      `sh -c ${quote(`${command}; echo "[ended $?]"`)}; exec sh`,
    ];
    execFileSync("tmux", ["-L", terminal.#socket, ...words], {
      env: { ...process.env, TERM: "xterm-256color", LC_ALL: "C.UTF-8", PS1: "$ ", ...env },
    });
    return terminal;
  }

  /** The rows that a person sees, without trailing empty ones. */
  async screen(): Promise<string[]> {
    const { stdout } = await this.#tmux("capture-pane", "-p");
    return stdout.trimEnd().split("\n");
  }

  /** Everything since it was opened. */
  async all(): Promise<string[]> {
    const { stdout } = await this.#tmux("capture-pane", "-p", "-S", "-");
    return stdout.trimEnd().split("\n");
  }

  /** The screen as soon as it fits. */
  async until(fits: (rows: readonly string[]) => boolean, limitMs = 20_000): Promise<string[]> {
    const end = performance.now() + limitMs;
    for (;;) {
      const rows = await this.screen();
      if (fits(rows)) return rows;
      if (performance.now() > end) throw new Error(`after ${limitMs} ms the screen is\n${rows.join("\n")}`);
      await sleep(30);
    }
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux("resize-window", "-x", String(columns), "-y", String(rows));
  }

  async keys(...keys: string[]): Promise<void> {
    await this.#tmux("send-keys", ...keys);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux("kill-server").catch(() => undefined);
  }

  #tmux(...args: string[]): Promise<{ stdout: string }> {
    return run("tmux", ["-L", this.#socket, ...args]);
  }
}

function quote(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
