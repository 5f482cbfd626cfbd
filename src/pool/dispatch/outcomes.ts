import { SkyError } from "../../errors/sky-error.ts";
import type { Code } from "../../function/capture/code.ts";
import { resultHooks } from "../../function/capture/hooks.ts";
import { decode } from "../../values/decode.ts";
import { decodeError } from "../../values/errors.ts";
import { itemLength } from "../../wire/items.ts";
import { Status } from "../../wire/ops.ts";
import { OUTCOMES_HEADER, type OutcomesHeader, readOutcomesHeader } from "../../wire/records.ts";

/** `streamed`: the status of an outcome whose result is a stream. */
type Each = (item: number, threw: boolean, value: unknown, streamed?: number) => void;
/**
 * Told of each result that could be read, before `Each`: its bytes and then its large buffers, none for `undefined`. They
 * last until the record has been handled.
 */
export type Keep = (item: number, parts: readonly Uint8Array[]) => void;

/** Where the bytes of large outcomes are. */
export interface Channels {
  take(channel: number): Buffer;
  takeLarge(channel: number): Uint8Array[];
}

export interface Outcomes extends OutcomesHeader {
  /** Decodes the items in turn. An item that can't be decoded counts as one that threw. */
  items(channels: Channels, code: Code, each: Each, keep?: Keep): void;
}

/** Reads an OUTCOMES record. */
export function eachOutcome(buf: Buffer, start: number, end: number): Outcomes {
  const header = readOutcomesHeader(buf, start, end);
  return {
    ...header,
    items: (channels, code, each, keep) =>
      walk(buf, start + OUTCOMES_HEADER, end, header.count, channels, code, each, keep),
  };
}

function walk(
  buf: Buffer,
  start: number,
  end: number,
  count: number,
  channels: Channels,
  code: Code,
  each: Each,
  keep: Keep | undefined,
): void {
  let at = start;
  for (let item = 0; item < count; item++) {
    let length = buf[at]!;
    if (length < 0x80) at++;
    else ({ length, start: at } = itemLength(buf, at));
    if (at + length > end) throw new SkyError("SKY_WIRE_MALFORMED", "an outcome is longer than its record");
    if (length === 0) {
      keep?.(item, NOTHING);
      each(item, false, undefined);
    } else one(buf, at, at + length, channels, code, item, each, keep);
    at += length;
  }
}

function one(
  buf: Buffer,
  start: number,
  end: number,
  channels: Channels,
  code: Code,
  item: number,
  each: Each,
  keep: Keep | undefined,
): void {
  const status = buf[start]!;
  const large = status === Status.RETURNED_LARGE || status === Status.THREW_LARGE;
  const bulk = status === Status.RETURNED_BULK || status === Status.THREW_BULK;
  if (status >= Status.STREAMED && !large) return stream(buf, start, end, code, item, each);
  const parts = large ? channels.takeLarge(buf.readUInt32LE(start + 1)) : [];
  const bytes = large ? parts[0]! : bulk ? channels.take(buf.readUInt32LE(start + 1)) : buf;
  const from = large || bulk ? 0 : start + 1;
  const to = large || bulk ? bytes.length : end;
  const threw = status === Status.THREW || status === Status.THREW_BULK || status === Status.THREW_LARGE;
  let value: unknown;
  try {
    const known = resultHooks(code);
    const hooks = large ? { ...known, resolveExternal: (index: number) => parts[index + 1]! } : known;
    value = threw ? decodeError(bytes, from, to, hooks) : decode(bytes, from, to, hooks);
  } catch (error) {
    return each(item, true, error);
  }
  if (!threw) keep?.(item, large ? parts : [bytes.subarray(from, to)]);
  each(item, threw, value);
}

/** A stream tells its end, and its error, itself; here they are for the books. */
function stream(buf: Buffer, start: number, end: number, code: Code, item: number, each: Each): void {
  const status = buf[start]!;
  if (status === Status.STREAMED || end === start + 1) return each(item, status !== Status.STREAMED, undefined, status);
  each(item, true, decodeError(buf, start + 1, end, resultHooks(code)), status);
}

const NOTHING: readonly Uint8Array[] = [];
/** The bulk channel that an OUTCOMES record's one outcome comes by; 0 for all others. */
export function largeChannel(buf: Buffer, start: number, end: number): number {
  const at = start + OUTCOMES_HEADER;
  if (end - at !== 6 || buf[at] !== 5) return 0;
  const status = buf[at + 1];
  return status === Status.RETURNED_LARGE || status === Status.THREW_LARGE ? buf.readUInt32LE(at + 2) : 0;
}
