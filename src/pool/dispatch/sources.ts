import { Readable } from "node:stream";
import { SkyError } from "../../errors/sky-error.ts";
import { PutRef } from "../../function/ref.ts";
import { ByteWriter } from "../../values/byte-writer.ts";
import { encode } from "../../values/encode.ts";
import type { EncodeHooks } from "../../values/hooks.ts";
import { isSource, type Source } from "../../wire/stream/source.ts";

/** The arguments of one call of which some stream: these by position, and the rest with nothing in their places. */
export interface Sources {
  readonly args: readonly unknown[];
  readonly at: ReadonlyMap<number, Source>;
}

/** Positions are one byte on the wire. */
const POSITIONS = 256;

/** What can be read once and was given to a call. */
const used = new WeakSet<object>();

/** Undefined where no argument streams, which costs a call next to nothing to find out. */
export function sourcesIn(args: readonly unknown[]): Sources | undefined {
  for (let i = 0; i < args.length; i++) if (isSource(args[i])) return split(args);
  return undefined;
}

/** The same for the tasks of a batch; `values` are lists of arguments, or with `single` each *the* argument. */
export function sourcesOfAll(
  values: readonly unknown[],
  single: boolean,
): { readonly values: readonly unknown[]; readonly sources?: ReadonlyMap<number, Sources> } {
  const sources = new Map<number, Sources>();
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    const found = single ? isSource(value) && split([value]) : Array.isArray(value) && sourcesIn(value);
    if (found) sources.set(index, found);
  }
  if (sources.size === 0) return { values };
  const rest = values.map((value, index) =>
    sources.has(index) ? (single ? undefined : sources.get(index)!.args) : value,
  );
  return { values: rest, sources };
}

function split(given: readonly unknown[]): Sources {
  const at = new Map<number, Source>();
  const args = given.map((value, position) => {
    if (!isSource(value)) return value;
    if (isOnce(value)) {
      if (used.has(value))
        throw new SkyError(
          "SKY_BAD_CALL",
          "An argument that streams can be read once, and was given to a call before.",
          {
            hint: "Give each call, and each node of a broadcast, its own: an object with a [Symbol.asyncIterator] of its own can be read anew.",
          },
        );
      used.add(value);
    }
    at.set(position, value);
    return undefined;
  });
  if (Math.max(...at.keys()) >= POSITIONS)
    throw new SkyError("SKY_BAD_CALL", `An argument that streams is one of the first ${POSITIONS}.`);
  return { args, at };
}

/** Iterators are their own iterator; a platform's stream is spent by the first one. */
function isOnce(source: Source): boolean {
  return "next" in source || source instanceof Readable || source instanceof ReadableStream;
}

/** The body of a TASKS record of a call with sources. @throws SkyError SKY_BAD_REF for a Ref beside them */
export function encodeSources({ args, at }: Sources, hooks: EncodeHooks): Buffer {
  if (args.some((value) => value instanceof PutRef))
    throw new SkyError("SKY_BAD_REF", "a Ref and an argument that streams can't go to one call", {
      hint: "Pass the value itself beside the stream.",
    });
  const out = new ByteWriter(256);
  out.u8(at.size);
  for (const position of at.keys()) out.u8(position);
  encode(args, out, hooks);
  return out.take();
}
