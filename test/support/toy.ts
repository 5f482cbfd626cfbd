import { execFile, spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { promisify } from "node:util";
import { type AgentConfig, type NodeConfig, socketPath } from "../../src/agent/config.ts";
import { Lines } from "../../src/agent/lines.ts";
import { findTree, startTimeOf } from "../../src/agent/process-tree.ts";

const root = join(import.meta.dirname, "../..");
let built: Promise<string> | undefined;

/** The agent with an echoing host, bundled like the real one. */
export function toyAgent(): Promise<string> {
  built ??= buildToyAgent();
  return built;
}

async function buildToyAgent(): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), "toy-agent-"));
  process.once("exit", () => rmSync(dir, { recursive: true, force: true }));
  const file = join(dir, "agent.mjs");
  await promisify(execFile)(process.execPath, ["scripts/build-agent.mjs", file, "test/support/toy-agent.ts"], {
    cwd: root,
  });
  return file;
}

export const newToken = (): string => randomBytes(32).toString("hex");

export function nodeConfig(token: string, more: Partial<NodeConfig> = {}): NodeConfig {
  return {
    version: 1,
    token,
    epoch: 1,
    rank: 0,
    pool: "test",
    concurrency: 1,
    executor: "thread",
    metrics: [],
    reuseProcesses: true,
    killGraceMs: 5000,
    env: {},
    ...more,
  };
}

/** A stream's lines, one after the other; undefined at its end. */
export class LineReader {
  readonly stream: Duplex;
  readonly #ready: (string | undefined)[] = [];
  readonly #waiting: ((line: string | undefined) => void)[] = [];
  #ended = false;

  constructor(stream: Duplex) {
    this.stream = stream;
    const lines = new Lines(64 * 1024 * 1024);
    stream.on("data", (chunk: Buffer) => lines.push(chunk)?.forEach((line) => this.#give(line)));
    stream.on("error", () => undefined);
    stream.once("close", () => {
      this.#ended = true;
      this.#waiting.splice(0).forEach((take) => take(undefined));
    });
  }

  next(): Promise<string | undefined> {
    if (this.#ready.length > 0) return Promise.resolve(this.#ready.shift());
    return this.#ended ? Promise.resolve(undefined) : new Promise((resolve) => this.#waiting.push(resolve));
  }

  async json(): Promise<Record<string, unknown> | undefined> {
    const line = await this.next();
    return line === undefined ? undefined : (JSON.parse(line) as Record<string, unknown>);
  }

  /** The next message of this kind; what comes before is passed over. */
  async find(fits: (message: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
    for (;;) {
      const message = await this.json();
      if (message === undefined) throw new Error("the link ended");
      if (fits(message)) return message;
    }
  }

  /** Waits for the end of the link. */
  async end(): Promise<void> {
    while ((await this.next()) !== undefined);
  }

  write(text: string): void {
    this.stream.write(text);
  }

  #give(line: string): void {
    const take = this.#waiting.shift();
    if (take === undefined) this.#ready.push(line);
    else take(line);
  }
}

/** Waits for something that shows only by looking, such as a process that is gone. */
export async function until(holds: () => boolean, withinMs: number, what = "it"): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`${what} did not happen within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export const lives = (pid: number): boolean => findTree({ root: { pid, startTime: "" } }).includes(pid);

/** Has the toy host start a child with a child of its own; their pids. */
export async function spawnChildren(data: LineReader, how: "plain" | "bare" | "detached"): Promise<number[]> {
  data.write(`!spawn ${how}`);
  return ((await data.next()) ?? "").split(" ").map(Number);
}

/** A supervisor started by hand, with all of its node. */
export class ToyNode implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly dir: string;
  readonly token: string;
  readonly ready: Record<string, unknown>;

  private constructor(child: ChildProcess, dir: string, token: string, ready: Record<string, unknown>) {
    this.child = child;
    this.dir = dir;
    this.token = token;
    this.ready = ready;
  }

  static async start(more: Partial<AgentConfig> = {}): Promise<ToyNode> {
    const token = newToken();
    const dir = join(tmpdir(), `sky-test-${randomBytes(8).toString("hex")}`);
    const parent = { pid: process.pid, startTime: startTimeOf(process.pid) ?? "" };
    const config: AgentConfig = { ...nodeConfig(token), dir, parent, orphanGraceMs: 0, ...more };
    const child = spawn(process.execPath, [await toyAgent(), "supervisor"], {
      detached: true,
      stdio: ["pipe", "pipe", "inherit"],
    });
    child.stdin.on("error", () => undefined);
    child.stdin.write(`${JSON.stringify(config)}\n`);
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    return new ToyNode(child, config.dir, token, JSON.parse(line.toString()) as Record<string, unknown>);
  }

  hello(kind: string, more: object = {}): string {
    return `${JSON.stringify({ v: 1, token: this.token, epoch: 1, kind, ...more })}\n`;
  }

  async raw(): Promise<Socket> {
    const socket = connect(socketPath(this.dir));
    await once(socket, "connect");
    return socket;
  }

  /** Sends a first line of any content; the link's lines from the answer on. */
  async send(text: string | Buffer): Promise<LineReader> {
    const socket = await this.raw();
    socket.on("error", () => undefined);
    socket.write(text);
    return new LineReader(socket);
  }

  /** A control link, its answer read. */
  async control(more: object = {}): Promise<LineReader> {
    const link = await this.send(this.hello("control", more));
    const answer = await link.json();
    if (answer?.["ok"] !== true) throw new Error(JSON.stringify(answer));
    return link;
  }

  /** A data link, its answer read. */
  async data(more: object = {}): Promise<LineReader> {
    const link = await this.send(this.hello("data", more));
    const answer = await link.json();
    if (answer?.["ok"] !== true) throw new Error(JSON.stringify(answer));
    return link;
  }

  get isGone(): boolean {
    const { pid = 0 } = this.child;
    return findTree({ run: this.dir, session: { pid, startTime: "" } }).length === 0 && !existsSync(this.dir);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.stdin!.end();
    this.child.kill("SIGTERM");
    await until(() => this.isGone, 5000, "the end of the toy node");
  }
}
