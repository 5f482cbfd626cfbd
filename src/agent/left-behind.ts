import { createReadStream, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Duplex, Readable } from "node:stream";
import { wholeRecords } from "../wire/left-outcomes.ts";

/** The file of a session's small outcomes; each large one has a file of its own. */
export const SMALL = "small";
/** The end of the name of a file that is being written. */
export const PART = ".part";

interface LeftFile {
  readonly path: string;
  readonly bytes: number;
}

const SESSION = /^[0-9a-f-]{36}$/;

const folder = (dir: string): string => join(dir, "outcomes");

/** Where a session's outcomes lie, below the run directory. */
export const outcomesDir = (dir: string, session: string): string => join(folder(dir), session);

/** Whether any host has left outcomes that nobody has fetched. */
export function hasLeft(dir: string): boolean {
  return list(folder(dir)).some((session) => list(join(folder(dir), session)).some((name) => !name.endsWith(PART)));
}

/**
 * Answers a link that asks for a session of a host that is gone, where that has left something, and ends it. What other
 * sessions have left is forgotten when a link asks for none: its controller has gone on without.
 * @returns whether the stream has been answered
 */
export function answerLeft(stream: Duplex, dir: string, asked: unknown, own: string): boolean {
  const files = asked === own ? [] : leftOf(dir, asked);
  const left = files.reduce((sum, { bytes }) => sum + bytes, 0);
  if (left === 0) {
    for (const name of list(folder(dir)))
      if (name !== own) rmSync(join(folder(dir), name), { recursive: true, force: true });
    return false;
  }
  stream.write(`${JSON.stringify({ ok: true, session: own, received: 0, left })}\n`);
  const source = Readable.from(contents(files));
  // A file that can't be read is told by a stream that ends too soon.
  source.once("error", () => stream.destroy());
  stream.once("close", () => source.destroy());
  source.pipe(stream);
  return true;
}

function leftOf(dir: string, session: unknown): LeftFile[] {
  if (typeof session !== "string" || !SESSION.test(session)) return [];
  const own = outcomesDir(dir, session);
  return list(own).flatMap((name) => {
    const path = join(own, name);
    if (name.endsWith(PART)) return [];
    return [{ path, bytes: name === SMALL ? wholeRecords(readFileSync(path)) : statSync(path).size }];
  });
}

async function* contents(files: readonly LeftFile[]): AsyncGenerator<Buffer, void, undefined> {
  for (const { path, bytes } of files) if (bytes > 0) yield* createReadStream(path, { end: bytes - 1 });
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
