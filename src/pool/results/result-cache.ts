import { createHash } from "node:crypto";
import type { ResolvedCache } from "../../function/cache-rule.ts";
import { resultHooks } from "../../function/capture/hooks.ts";
import { decode } from "../../values/decode.ts";
import { PROTOCOL_VERSION } from "../../wire/ops.ts";
import type { Bind } from "../dispatch/bind.ts";
import { type Segment, State } from "../dispatch/segment.ts";
import { messageOf } from "../message-of.ts";
import type { Arrived } from "./arrived.ts";
import { KEY_BYTES, type Kept } from "./block.ts";
import { ResultFolder } from "./result-folder.ts";
import { packParts, totalBytes, unpackParts } from "./stored.ts";
import type { Series } from "./series.ts";

/** Tasks that are looked up before others get a turn. */
const TURN = 2048;
/** Larger results are not kept: reading one back would take about as long as many tasks. */
const RESULT_MAX_BYTES = 1024 * 1024 * 1024;

export interface ResultCacheEvents {
  /** The result of a task is not known: it runs. */
  missed(segment: Segment, index: number, count: number): void;
  /** Its result is here; or, as a failure, results can't be kept where they should be. */
  settled(segment: Segment, index: number, state: number, value: unknown): void;
  /** So many tasks of a function were served in one go. */
  told(name: string, count: number): void;
  /** Results are not kept any more: why. */
  problem(message: string): void;
}

interface Asked {
  readonly segment: Segment;
  index: number;
  count: number;
}

/** The tasks of one bind that wait to be looked up. */
interface Line {
  readonly asked: Asked[];
  series: Series | undefined;
  busy: boolean;
}

/** Stands before the queues for functions with `cache`: serves what was answered before, keeps what is answered now. */
export class ResultCache {
  readonly #events: ResultCacheEvents;
  readonly #folders = new Map<string, ResultFolder>();
  readonly #lines = new WeakMap<Bind, Line>();
  readonly #keys = new WeakMap<Segment, Map<number, string>>();
  #broken = false;

  constructor(events: ResultCacheEvents) {
    this.#events = events;
  }

  /** Takes tasks, which come out served or missed, in their order. */
  ask(segment: Segment, index: number, count: number): void {
    const { bind } = segment;
    let line = this.#lines.get(bind);
    if (!line) this.#lines.set(bind, (line = { asked: [], series: undefined, busy: false }));
    const last = line.asked.at(-1);
    if (last?.segment === segment && last.index + last.count === index) last.count += count;
    else line.asked.push({ segment, index, count });
    if (line.busy) return;
    line.busy = true;
    // One's own errors are those of the tasks.
    void this.#answer(line, bind);
  }

  /** Keeps results that have just come, before anybody has seen them. */
  keep(segment: Segment, { results }: Arrived): void {
    const series = this.#lines.get(segment.bind)?.series;
    const keys = this.#keys.get(segment);
    if (!series || !keys || this.#broken) return;
    const kept: Kept[] = [];
    for (const { index, parts } of results) {
      const key = keys.get(index);
      if (key !== undefined && totalBytes(parts) <= RESULT_MAX_BYTES) kept.push({ key, bytes: packParts(parts) });
      keys.delete(index);
    }
    if (kept.length === 0) return;
    try {
      this.#folder(segment.bind.options.cache!).added(series.add(kept));
    } catch (error) {
      this.#broken = true;
      this.#events.problem(`results of ${segment.bind.name} are not kept any more: ${messageOf(error)}`);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#folders.values()].map((folder) => folder.close()));
  }

  async #answer(line: Line, bind: Bind): Promise<void> {
    // Not inside the call that asks: it may still cancel, and others of its tick are answered together.
    await Promise.resolve();
    try {
      line.series ??= await this.#open(bind);
      while (line.asked.length > 0) {
        this.#lookUp(line.asked, line.series, bind);
        if (line.asked.length > 0) await new Promise((resolve) => setImmediate(resolve));
      }
    } catch (error) {
      for (const { segment, index, count } of line.asked.splice(0))
        for (let i = index; i < index + count; i++)
          if (segment.state(i) === State.QUEUED) this.#events.settled(segment, i, State.FAILED, error);
    }
    line.busy = false;
  }

  async #open(bind: Bind): Promise<Series> {
    // A folder that can't be used is told before the function's files are looked for.
    const folder = this.#folder(bind.options.cache!);
    const artifact = await bind.code.ready();
    const name = createHash("sha256").update(`${PROTOCOL_VERSION} ${artifact.id} `).update(bind.values).digest("hex");
    return folder.series(name);
  }

  #folder(rule: ResolvedCache): ResultFolder {
    const key = `${rule.dir ?? ""} ${rule.ttlMs} ${rule.maxBytes}`;
    let folder = this.#folders.get(key);
    if (!folder) this.#folders.set(key, (folder = new ResultFolder(rule)));
    return folder;
  }

  #lookUp(asked: Asked[], series: Series, { name, code }: Bind): void {
    let left = TURN;
    let served = 0;
    while (left > 0 && asked.length > 0) {
      const one = asked[0]!;
      const { segment } = one;
      const count = Math.min(left, one.count);
      let missed = one.index;
      const miss = (to: number): void => {
        if (to > missed) this.#events.missed(segment, missed, to - missed);
      };
      for (let index = one.index; index < one.index + count; index++) {
        if (segment.state(index) !== State.QUEUED) {
          miss(index);
          missed = index + 1;
          continue;
        }
        const key = keyOf(segment, index);
        const bytes = series.get(key);
        const value = bytes && decoded(bytes, code);
        if (!value) {
          this.#noteKey(segment, index, key);
          continue;
        }
        miss(index);
        missed = index + 1;
        served++;
        this.#events.settled(segment, index, State.DONE, value.value);
      }
      miss(one.index + count);
      left -= count;
      one.index += count;
      one.count -= count;
      if (one.count === 0) asked.shift();
    }
    if (served > 0) this.#events.told(name, served);
  }

  #noteKey(segment: Segment, index: number, key: string): void {
    let keys = this.#keys.get(segment);
    if (!keys) this.#keys.set(segment, (keys = new Map()));
    keys.set(index, key);
  }
}

/** What many tasks have in common is hashed once. */
const LARGE_BYTES = 64 * 1024;
const LENGTH = Buffer.alloc(8);
const digests = new WeakMap<Uint8Array, Buffer>();

function digestOf(bytes: Uint8Array): Buffer {
  let digest = digests.get(bytes);
  if (!digest) digests.set(bytes, (digest = createHash("sha256").update(bytes).digest()));
  return digest;
}

/** Which call of the function it is. */
function keyOf(segment: Segment, index: number): string {
  const hash = createHash("sha256").update(segment.single ? "1" : "n");
  segment.eachArgumentBytes(index, (bytes) => {
    LENGTH.writeDoubleLE(bytes.byteLength);
    hash.update(LENGTH).update(bytes.byteLength > LARGE_BYTES ? digestOf(bytes) : bytes);
  });
  return hash.digest().toString("latin1", 0, KEY_BYTES);
}

/** Undefined for what can't be read any more: its class has another codec now. */
function decoded(bytes: Buffer, code: Bind["code"]): { readonly value: unknown } | undefined {
  try {
    const [head, ...externals] = unpackParts(bytes);
    if (!head) return { value: undefined };
    const hooks = resultHooks(code);
    if (externals.length === 0) return { value: decode(head, 0, head.length, hooks) };
    // They become part of the value; these bytes may be a part of a block that others are read from.
    const resolveExternal = (index: number): Uint8Array => Uint8Array.from(externals[index]!);
    return { value: decode(head, 0, head.length, { ...hooks, resolveExternal }) };
  } catch {
    return undefined;
  }
}
