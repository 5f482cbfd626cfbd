export type OutputStream = "stdout" | "stderr";

/** Takes what is written to a stream; false leaves it to the next one, and at last to the stream itself. */
export type TakeWrite = (stream: OutputStream, chunk: string | Uint8Array) => boolean;

const takers: TakeWrite[] = [];
let restore: (() => void) | undefined;

/**
 * Sees every write to this thread's stdout and stderr, `console` included, before the streams do. The newest comes
 * first. The streams are touched only while somebody looks.
 * @returns a function that ends it
 */
export function interceptWrites(take: TakeWrite, position: "first" | "last" = "first"): () => void {
  if (position === "first") takers.unshift(take);
  else takers.push(take);
  restore ??= patch();
  return () => {
    const index = takers.indexOf(take);
    if (index >= 0) takers.splice(index, 1);
    if (takers.length > 0) return;
    restore?.();
    restore = undefined;
  };
}

function patch(): () => void {
  const undo = [patchStream("stdout"), patchStream("stderr")];
  return () => {
    for (const one of undo) one();
  };
}

type Write = (this: void, chunk: never, encoding?: never, callback?: never) => boolean;

function patchStream(name: OutputStream): () => void {
  const stream = process[name];
  const own = Object.getOwnPropertyDescriptor(stream, "write");
  const original: Write = stream.write.bind(stream);
  const write: Write = (chunk, encoding, callback) => {
    const data = dataOf(chunk, encoding);
    if (data === undefined || !takers.some((take) => take(name, data))) return original(chunk, encoding, callback);
    const done = typeof encoding === "function" ? encoding : callback;
    if (typeof done === "function") process.nextTick(done, null);
    return true;
  };
  stream.write = write;
  return () => {
    // Somebody may have put a wrapper of their own around ours: then ours stays, and passes everything on.
    if (stream.write !== write) return;
    if (own === undefined) Reflect.deleteProperty(stream, "write");
    else Object.defineProperty(stream, "write", own);
  };
}

/** What was written; undefined for what the stream itself must refuse. */
function dataOf(chunk: unknown, encoding: unknown): string | Uint8Array | undefined {
  if (chunk instanceof Uint8Array) return chunk;
  if (typeof chunk !== "string") return undefined;
  if (typeof encoding !== "string" || encoding === "utf8" || encoding === "utf-8") return chunk;
  return Buffer.isEncoding(encoding) ? Buffer.from(chunk, encoding) : undefined;
}
