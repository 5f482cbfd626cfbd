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
/** Told of the bytes of each result that could be read, before `Each`; they last until the record has been handled. */
export type Keep = (item: number, bytes: Uint8Array) => void;

export interface Outcomes extends OutcomesHeader {
  /** Decodes the items in turn. An item that can't be decoded counts as one that threw. */
  items(take: (channel: number) => Buffer, code: Code, each: Each, keep?: Keep): void;
}

/** Reads an OUTCOMES record. */
export function eachOutcome(buf: Buffer, start: number, end: number): Outcomes {
  const header = readOutcomesHeader(buf, start, end);
  return {
    ...header,
    items: (take, code, each, keep) => walk(buf, start + OUTCOMES_HEADER, end, header.count, take, code, each, keep),
  };
}

function walk(
  buf: Buffer,
  start: number,
  end: number,
  count: number,
  take: (channel: number) => Buffer,
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
    } else one(buf, at, at + length, take, code, item, each, keep);
    at += length;
  }
}

function one(
  buf: Buffer,
  start: number,
  end: number,
  take: (channel: number) => Buffer,
  code: Code,
  item: number,
  each: Each,
  keep: Keep | undefined,
): void {
  const status = buf[start]!;
  const bulk = status === Status.RETURNED_BULK || status === Status.THREW_BULK;
  const bytes = bulk ? take(buf.readUInt32LE(start + 1)) : buf;
  const from = bulk ? 0 : start + 1;
  const to = bulk ? bytes.length : end;
  if (status >= Status.STREAMED) return stream(buf, start, end, code, item, each);
  const threw = status === Status.THREW || status === Status.THREW_BULK;
  let value: unknown;
  try {
    const hooks = resultHooks(code);
    value = threw ? decodeError(bytes, from, to, hooks) : decode(bytes, from, to, hooks);
  } catch (error) {
    return each(item, true, error);
  }
  if (!threw) keep?.(item, bytes.subarray(from, to));
  each(item, threw, value);
}

/** A stream tells its end, and its error, itself; here they are for the books. */
function stream(buf: Buffer, start: number, end: number, code: Code, item: number, each: Each): void {
  const status = buf[start]!;
  if (status === Status.STREAMED || end === start + 1) return each(item, status !== Status.STREAMED, undefined, status);
  each(item, true, decodeError(buf, start + 1, end, resultHooks(code)), status);
}

const NOTHING = Buffer.alloc(0);
