import { SkyError } from "../errors/sky-error.ts";
import { Op } from "./ops.ts";
import type { TreeChange } from "./tree.ts";
import type { ByteWriter } from "../values/byte-writer.ts";

const HIGH = 0x1_0000_0000;

/** Task ids are 48 bits on the wire. */
export function writeId(out: ByteWriter, id: number): void {
  out.u32(id % HIGH);
  out.u16(Math.floor(id / HIGH));
}

export function readId(buf: Buffer, at: number): number {
  return buf.readUInt32LE(at) + buf.readUInt16LE(at + 4) * HIGH;
}

/** Header of a TASKS record: bind u32, mode u8, attempt u8, first id u48, count u16. */
export const TASKS_HEADER = 14;

export interface TasksHeader {
  readonly bind: number;
  readonly mode: number;
  readonly attempt: number;
  readonly first: number;
  readonly count: number;
}

export function writeTasksHeader(
  out: ByteWriter,
  bind: number,
  mode: number,
  attempt: number,
  first: number,
  count: number,
): void {
  out.u32(bind);
  out.u8(mode);
  out.u8(attempt);
  writeId(out, first);
  out.u16(count);
}

export function readTasksHeader(buf: Buffer, start: number, end: number): TasksHeader {
  need(start, end, TASKS_HEADER, "TASKS");
  return {
    bind: buf.readUInt32LE(start),
    mode: buf[start + 4]!,
    attempt: buf[start + 5]!,
    first: readId(buf, start + 6),
    count: buf.readUInt16LE(start + 12),
  };
}

/**
 * Header of an OUTCOMES record: first id u48, attempt u8, count u16, time of all together u32 us, end of the last one
 * f64 ms since the epoch by the node's clock, time from the end of the first to that u32 us.
 */
export const OUTCOMES_HEADER = 25;

export interface OutcomesHeader {
  readonly first: number;
  readonly attempt: number;
  readonly count: number;
  readonly elapsedUs: number;
  readonly endedMs: number;
  readonly spanUs: number;
}

export function writeOutcomesHeader(
  out: ByteWriter,
  first: number,
  attempt: number,
  count: number,
  elapsedUs: number,
  endedMs: number,
  spanUs = 0,
): void {
  writeId(out, first);
  out.u8(attempt);
  out.u16(count);
  out.u32(microseconds(elapsedUs));
  out.f64(endedMs);
  out.u32(microseconds(spanUs));
}

/** As a u32. */
export function microseconds(us: number): number {
  return Math.max(0, Math.min(0xffff_ffff, Math.round(us)));
}

export function readOutcomesHeader(buf: Buffer, start: number, end: number): OutcomesHeader {
  need(start, end, OUTCOMES_HEADER, "OUTCOMES");
  return {
    first: readId(buf, start),
    attempt: buf[start + 6]!,
    count: buf.readUInt16LE(start + 7),
    elapsedUs: buf.readUInt32LE(start + 9),
    endedMs: buf.readDoubleLE(start + 13),
    spanUs: buf.readUInt32LE(start + 21),
  };
}

/** A range of ids: first u48, count u32. */
export function writeRange(out: ByteWriter, first: number, count: number): void {
  writeId(out, first);
  out.u32(count);
}

export function readRanges(buf: Buffer, start: number, end: number): { first: number; count: number }[] {
  const out: { first: number; count: number }[] = [];
  if ((end - start) % 10 !== 0) throw new SkyError("SKY_WIRE_MALFORMED", "a list of ranges of the wrong length");
  for (let at = start; at < end; at += 10) out.push({ first: readId(buf, at), count: buf.readUInt32LE(at + 6) });
  return out;
}

/** The body of CANCEL_WITH: tasks to be stopped, and the encoded reason that their signals fire with. */
export function writeCancelWith(out: ByteWriter, first: number, count: number, why: Uint8Array): void {
  out.u16(1);
  writeRange(out, first, count);
  out.bytes(why);
}

/** What a CANCEL or CANCEL_WITH record says; `why` is bytes of its own. */
export function readCancel(op: number, buf: Buffer, start: number, end: number): Cancel {
  if (op === Op.CANCEL) return { ranges: readRanges(buf, start, end), why: undefined };
  need(start, end, 2, "CANCEL_WITH");
  const at = start + 2 + 10 * buf.readUInt16LE(start);
  need(start, end, at - start, "CANCEL_WITH");
  return { ranges: readRanges(buf, start + 2, at), why: Uint8Array.prototype.slice.call(buf, at, end) };
}

export interface Cancel {
  readonly ranges: readonly { readonly first: number; readonly count: number }[];
  readonly why: Uint8Array | undefined;
}

export function readJson<T>(buf: Buffer, start: number, end: number): T {
  try {
    return JSON.parse(buf.toString("utf8", start, end)) as T;
  } catch (cause) {
    throw new SkyError("SKY_WIRE_MALFORMED", "a record that should be JSON is not", { cause });
  }
}

export function need(start: number, end: number, bytes: number, what: string): void {
  if (end - start < bytes) throw new SkyError("SKY_WIRE_MALFORMED", `${what} record of ${end - start} bytes`);
}

/**
 * CODE: what a function's tree is made of, as a change of an earlier one's or of none; every file has been sent before.
 */
export interface CodeRecord extends TreeChange {
  readonly code: number;
  readonly entry: string;
  /** The code whose tree is changed. */
  readonly base?: number;
  readonly externals?: readonly ExternalRecord[];
  /** The user's settings of npm, as lines of an npmrc; they hold secrets. */
  readonly npm?: NpmSettings;
  /** Whether a NOTE is to say when all is in place; until then nothing is bound to it. */
  readonly answer?: boolean;
}

/** NPM: a blob with the files of npm, packed by tar and gzip; none where the controller has no npm. */
export interface NpmRecord {
  readonly hash?: string;
}

/** A package that a tree needs and that is not sent. */
export interface ExternalRecord {
  /** Its place in the tree. */
  readonly path: string;
  /** On the controller's own machine: the folder that has it. */
  readonly home?: string;
  /** Elsewhere: hash of the blob that says how to install it, an `InstallPlan`. */
  readonly plan?: string;
}

export interface NpmSettings {
  readonly rc: string;
  /** The content of the user's `cafile`. In the rc, where npm puts it into the environment of scripts, it may be too long. */
  readonly cafile?: string;
  /** Certificates, PEM, that are trusted besides those that Node has. */
  readonly ca?: string;
}

/** The JSON part of a BIND record, after its u32 length; the values follow, or lie in `channel`. */
export interface BindRecord {
  readonly bind: number;
  readonly code: number;
  readonly limitMs: number;
  /** The limit was asked for: it holds for tasks that stream too. */
  readonly limited: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Its tasks wait for a debugger. */
  readonly inspect?: true;
  readonly channel?: number;
}

/** How a process ended that ran tasks. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: string | null;
  /** The last 4 KiB of what its last task wrote to stderr. */
  readonly stderr: string;
}

/** LOST: tasks whose thread or process is gone. */
export interface LostRecord {
  readonly tasks: readonly { id: number; attempt: number }[];
  readonly detail: string;
  /** None of these tasks is known to have brought it down. */
  readonly innocent: boolean;
  /** The task that brought the thread down, when that was another one. */
  readonly culprit?: number;
  /** It was a process. */
  readonly end?: ProcessEnd;
}

/** INSPECTOR: one listens on the node's loopback; without `path` it does no more. */
export interface InspectorRecord {
  readonly port: number;
  readonly path?: string;
  /** The task that waits for a debugger. */
  readonly task?: number;
  readonly attempt?: number;
}

/** NOTE: what only people, or the console, need to know. */
export type NoteRecord =
  | { readonly type: "progress"; readonly id: number; readonly done: number; readonly of: number | null }
  | { readonly type: "killing"; readonly culprit: number }
  | { readonly type: "installing"; readonly package: string }
  | { readonly type: "installed"; readonly package: string; readonly elapsedMs: number }
  /** The node has no npm: it asks for the controller's. */
  | { readonly type: "npm" }
  /** The code is in place, or can't be. */
  | { readonly type: "code"; readonly code: number; readonly error?: CodeFailure };

/** Why a code can't be put in place. */
export interface CodeFailure {
  readonly message: string;
  readonly hint: string;
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>>;
}

/** Behind the header of a TASKS record with a large task: `u32 channel (0: none), u16 count, shared values u32 each, bytes`. */
export interface LargeTask {
  /** The bulk channel that brings the encoded value and its externals; 0 when the value stands in the record. */
  readonly channel: number;
  /** Shared values that it uses, by their numbers in the value. */
  readonly shares: readonly number[];
  /** Where the value stands when there is no channel. */
  readonly start: number;
}

export function writeLargeTask(out: ByteWriter, channel: number, shares: readonly number[], value: Uint8Array): void {
  out.u32(channel);
  out.u16(shares.length);
  for (const share of shares) out.u32(share);
  out.bytes(value);
}

export function readLargeTask(buf: Buffer, start: number, end: number): LargeTask {
  need(start, end, 6, "TASKS");
  const count = buf.readUInt16LE(start + 4);
  need(start, end, 6 + 4 * count, "TASKS");
  const shares = Array.from({ length: count }, (_, index) => buf.readUInt32LE(start + 6 + 4 * index));
  return { channel: buf.readUInt32LE(start), shares, start: start + 6 + 4 * count };
}
