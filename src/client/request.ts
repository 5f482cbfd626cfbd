import { type IncomingMessage, request as httpRequest } from "node:http";
import type { Duplex } from "node:stream";
import { json } from "node:stream/consumers";
import { createInterface } from "node:readline";
import { SkyError } from "../errors/sky-error.ts";

interface Failure {
  readonly error?: { readonly code?: string; readonly message?: string; readonly hint?: string };
}

/** One document of a pool. @throws the connection's error; SkyError with the pool's own words */
export async function getJson<T>(socketPath: string, path: string, signal?: AbortSignal): Promise<T> {
  const response = await ask(socketPath, "GET", path, undefined, signal);
  const body = (await json(response)) as T & Failure;
  throwFailure(response, body);
  return body;
}

/** A document for each line, as they come. */
export async function* getLines<T>(
  socketPath: string,
  method: "GET" | "POST",
  path: string,
  body?: object,
): AsyncGenerator<Awaited<T>, void, undefined> {
  const response = await ask(socketPath, method, path, body);
  for await (const line of createInterface({ input: response })) {
    const value = JSON.parse(line) as Awaited<T> & Failure;
    throwFailure(response, value);
    if (value.error !== undefined) throw failureOf(value);
    yield value;
  }
}

/** Two streams of bytes in one. */
export async function upgrade(socketPath: string, asked: object): Promise<{ socket: Duplex; head: Buffer }> {
  return new Promise((resolve, reject) => {
    const headers = { connection: "Upgrade", upgrade: "shell", "x-shell": encodeURIComponent(JSON.stringify(asked)) };
    httpRequest({ socketPath, path: "/shell", headers })
      .once("error", reject)
      .once("upgrade", (_response: IncomingMessage, socket: Duplex, head: Buffer) => resolve({ socket, head }))
      .once("response", (response: IncomingMessage) => {
        json(response).then((body) => reject(failureOf(body as Failure)), reject);
      })
      .end();
  });
}

function ask(
  socketPath: string,
  method: string,
  path: string,
  body?: object,
  signal?: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    httpRequest({ socketPath, method, path, ...(signal && { signal }) })
      .once("error", (error) => reject(signal?.aborted === true ? (signal.reason as Error) : error))
      .once("response", resolve)
      .end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function throwFailure(response: IncomingMessage, body: Failure): void {
  if ((response.statusCode ?? 500) >= 400) throw failureOf(body);
}

function failureOf({ error }: Failure): SkyError {
  const init = error?.hint === undefined ? {} : { hint: error.hint };
  return new SkyError((error?.code ?? "SKY_BAD_CALL") as "SKY_BAD_CALL", error?.message ?? "the pool refused", init);
}
