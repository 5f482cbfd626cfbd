import { rmSync } from "node:fs";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { json } from "node:stream/consumers";
import type { SkyError } from "../../errors/sky-error.ts";
import type { EventBus } from "../../events/bus.ts";
import type { PoolView } from "../../events/views.ts";
import { write } from "../../wire/files/transfer.ts";
import type { ExecOptions, Place } from "../access/exec.ts";
import { exec } from "../access/exec.ts";
import { targetRank } from "../call-options.ts";
import { stateDir } from "../ledger/state-dir.ts";
import { keepFailedLog } from "./failed-logs.ts";
import { LogReader } from "./log-reader.ts";
import { NodeLogs } from "./node-logs.ts";
import { serveShell, type ShellRequest } from "./remote-shell.ts";
import { makeSocketDir, socketDir } from "./socket-dir.ts";

export interface EndpointPool {
  readonly name: string;
  readonly bus: EventBus;
  snapshot(): PoolView;
  places(target: "all" | "head" | number): readonly Place[];
}

/** A piece of a command's output on its way to a client; base64. */
export interface ExecPiece {
  readonly node: number;
  readonly stream: "stdout" | "stderr";
  readonly data: string;
}

/** Pools of this program so far: two of one name may be opened in one millisecond. */
let made = 0;
const sockets = new Set<string>();

function removeSockets(): void {
  for (const path of sockets) rmSync(path, { force: true });
}

/**
 * Where other programs of this user reach a pool: HTTP on a unix socket in a folder of their own. `GET /` is the pool's
 * view, `GET /logs` its nodes' lines, `POST /exec` a command, an upgrade to `shell` a terminal.
 */
export class Endpoint {
  /** The socket's. A local node removes it when this program is killed. */
  readonly path: string;
  readonly #pool: EndpointPool;
  readonly #logs = new NodeLogs();
  readonly #readers = new Set<LogReader>();
  readonly #unsubscribe: () => void;
  #server: Server | undefined;
  #closed = false;

  constructor(pool: EndpointPool) {
    this.#pool = pool;
    this.path = join(socketDir(), `${pool.name}-${process.pid}-${(Date.now() * 1000 + made++).toString(36)}.sock`);
    this.#unsubscribe = pool.bus.subscribe(
      (event) => {
        const line = this.#logs.take(event);
        if (line !== undefined) for (const reader of this.#readers) reader.take(line);
      },
      { only: ["Log", "Node"] },
    );
  }

  /** Listens. Where that can't be, the pool does without: nobody else can reach it then. */
  async listen(): Promise<void> {
    const { createServer } = await import("node:http");
    if (this.#closed) return;
    makeSocketDir();
    const server = createServer((request, response) => void this.#answer(request, response));
    server.on("upgrade", (request: IncomingMessage, socket: Duplex) => void this.#shell(request, socket));
    server.unref();
    this.#server = server;
    if (sockets.size === 0) process.on("exit", removeSockets);
    sockets.add(this.path);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject).listen(this.path, resolve);
    });
    server.on("error", () => undefined);
  }

  /** The last lines of a node that failed, in a file that outlives this program. @returns its path; undefined where nothing was said */
  keepLog(node: number, machine: string | undefined, reason: string): string | undefined {
    const lines = this.#logs.lines(node);
    if (lines.length === 0) return undefined;
    const { name: pool } = this.#pool;
    const [pid, program, failedAt] = [process.pid, process.argv[1], Date.now()];
    const failed = { pool, node, ...(machine && { machine }), pid, ...(program && { program }), failedAt, reason };
    return keepFailedLog(stateDir(), failed, lines);
  }

  close(): void {
    this.#closed = true;
    this.#unsubscribe();
    this.#server?.close();
    this.#server?.closeAllConnections();
    rmSync(this.path, { force: true });
    sockets.delete(this.path);
    if (sockets.size === 0) process.off("exit", removeSockets);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://pool");
    try {
      if (request.method === "GET" && url.pathname === "/") {
        send(response, {
          name: this.#pool.name,
          pid: process.pid,
          program: process.argv[1],
          view: this.#pool.snapshot(),
        });
      } else if (request.method === "GET" && url.pathname === "/logs") this.#sendLogs(url.searchParams, response);
      else if (request.method === "POST" && url.pathname === "/exec") await this.#exec(request, response);
      else response.writeHead(404).end();
    } catch (error) {
      if (!response.headersSent) response.writeHead(400, { "content-type": "application/json" });
      response.end(failureText(error));
    }
  }

  #sendLogs(query: URLSearchParams, response: ServerResponse): void {
    const node = query.has("node")
      ? targetRank(Number(query.get("node")), this.#pool.snapshot().totalNodes)
      : undefined;
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    response.flushHeaders();
    for (const line of this.#logs.lines(node)) response.write(`${JSON.stringify(line)}\n`);
    if (query.get("follow") !== "1") return void response.end();
    const reader = new LogReader(response, node);
    this.#readers.add(reader);
    response.once("close", () => this.#readers.delete(reader));
  }

  /** The pieces of output as lines, and the results as the last one. */
  async #exec(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = (await json(request)) as {
      command: string | string[];
      target: "all" | "head" | number;
      stdin?: string;
    };
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    const options: ExecOptions = {
      check: false,
      signal: gone.signal,
      ...(asked.stdin === undefined ? {} : { stdin: Buffer.from(asked.stdin, "base64") }),
      collect: false,
      onOutput: async ({ node, stream, bytes }) => {
        if (bytes.length === 0) return;
        const data = Buffer.from(bytes).toString("base64");
        await write(response, `${JSON.stringify({ node, stream, data } satisfies ExecPiece)}\n`);
      },
    };
    const results = await exec(asked.command, this.#pool.places(asked.target), options);
    const ends = results.map(({ node, code, signal }) => ({ node, code, signal }));
    response.end(`${JSON.stringify({ results: ends })}\n`);
  }

  async #shell(request: IncomingMessage, socket: Duplex): Promise<void> {
    socket.on("error", () => undefined);
    try {
      const asked = JSON.parse(decodeURIComponent(String(request.headers["x-shell"]))) as ShellRequest;
      await serveShell(socket, this.#pool.places(asked.target)[0]!, asked);
    } catch (error) {
      const body = failureText(error);
      socket.end(`HTTP/1.1 400 Bad Request\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    }
  }
}

function failureText(error: unknown): string {
  const { code = "SKY_BAD_CALL", message, hint } = error as Partial<SkyError> & Error;
  return `${JSON.stringify({ error: { code, message, hint } })}\n`;
}

function send(response: ServerResponse, body: object): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
}
