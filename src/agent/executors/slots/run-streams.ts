import { decodeError } from "../../../values/errors.ts";
import type { DecodeHooks } from "../../../values/hooks.ts";
import { ByteWriter } from "../../../values/byte-writer.ts";
import { Op } from "../../../wire/ops.ts";
import { Feed, type FeedEnd } from "../../../wire/stream/feed.ts";
import { Inlet } from "../../../wire/stream/inlet.ts";
import {
  beginStreamRecord,
  endStreamRecord,
  FIRST_BYTES,
  FIRST_ELEMENTS,
  How,
  type Place,
  readPlace,
} from "../../../wire/stream/records.ts";
import type { Source } from "../../../wire/stream/source.ts";
import type { FromSlots } from "../messages.ts";
import { ArgumentStream } from "./argument-stream.ts";
import type { CodeHooks } from "./code-hooks.ts";
import type { TaskRun } from "./task-run.ts";

/** The streams of one running task. */
interface Streams {
  readonly run: TaskRun;
  feed?: Feed;
  readonly inlets: Map<number, { readonly inlet: Inlet; readonly hooks: DecodeHooks | undefined }>;
}

/** The streams of the tasks that run here: their results leave by feeds, their arguments arrive in inlets. */
export class RunStreams {
  readonly #post: (message: FromSlots, transfer?: ArrayBuffer[]) => void;
  readonly #tasks = new Map<number, Streams>();
  readonly #writer = new ByteWriter(64);

  constructor(post: (message: FromSlots, transfer?: ArrayBuffer[]) => void) {
    this.#post = post;
  }

  /** Tasks that have streams now. */
  get size(): number {
    return this.#tasks.size;
  }

  /** What a body gets for an argument that streams. */
  argument(run: TaskRun, position: number, hooks: DecodeHooks | undefined): AsyncIterable<unknown> {
    const place = { id: run.number, attempt: run.attempt, lane: position + 1 };
    const inlet = new Inlet(
      hooks,
      {
        grant: (elements, bytes) =>
          this.#record(Op.GRANT, place, (out) => {
            out.u32(elements);
            out.u32(bytes);
          }),
        stop: () => this.#record(Op.STOP, place),
      },
      true,
    );
    this.#of(run).inlets.set(place.lane, { inlet, hooks });
    return new ArgumentStream(inlet);
  }

  /** Sends what a body's stream gives, until it ends. Never rejects. */
  result(run: TaskRun, source: Source, hooks: CodeHooks | undefined): Promise<FeedEnd> {
    const place = { id: run.number, attempt: run.attempt, lane: 0 };
    const credit = { elements: FIRST_ELEMENTS, bytes: FIRST_BYTES };
    const feed = new Feed(place, source, hooks?.encode, credit, {
      record: (record) => this.#post({ type: "stream", record }, [record.buffer as ArrayBuffer]),
      element: (value) => this.#post({ type: "element", place, value }, [value.buffer as ArrayBuffer]),
    });
    this.#of(run).feed = feed;
    return feed.run(true);
  }

  /** A record for a task that runs here; one that has ended wants it no more. */
  take(record: Uint8Array): void {
    const buf = Buffer.from(record.buffer, record.byteOffset, record.byteLength);
    const place = readPlace(buf, 5, buf.length);
    const task = this.#find(place);
    if (!task) return;
    const body = 5 + 8;
    switch (buf[0]) {
      case Op.GRANT:
        return task.feed?.grant(buf.readUInt32LE(body), buf.readUInt32LE(body + 4));
      case Op.STOP:
        return this.#stop(task);
      case Op.ELEMENTS:
      case Op.END:
        return this.#arrived(task, place, buf, body);
    }
  }

  element(place: Place, value: Uint8Array): void {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    this.#find(place)?.inlets.get(place.lane)?.inlet.element(bytes);
  }

  /** The host has given the task up: its generator runs its `finally`, and what that gives is nobody's. */
  drop(run: TaskRun): void {
    const task = this.#find({ id: run.number, attempt: run.attempt, lane: 0 });
    task?.feed?.drop();
    this.#cut(task);
  }

  /** The task is over. */
  forget(run: TaskRun): void {
    if (this.#tasks.get(run.number)?.run === run) this.#tasks.delete(run.number);
  }

  /** A record that breaks the rules is an error of the body that reads it, not of the others that run here. */
  #arrived(task: Streams, { lane }: Place, buf: Buffer, at: number): void {
    const { inlet, hooks } = task.inlets.get(lane) ?? {};
    if (!inlet) return;
    try {
      if (buf[0] === Op.ELEMENTS) inlet.elements(buf, at + 4, buf.length, buf.readUInt32LE(at));
      else if (buf[at] === How.ENDED) inlet.end({ threw: false });
      else inlet.end({ threw: true, error: decodeError(buf, at + 1, buf.length, hooks) });
    } catch (error) {
      inlet.end({ threw: true, error, atOnce: true });
    }
  }

  /** Nobody reads the result any more. */
  #stop(task: Streams): void {
    const id = task.run.number;
    task.run.leave();
    task.feed?.stop(() => this.#post({ type: "closing", id }));
    this.#cut(task);
  }

  /** A body that waits for its argument must hear that it is to stop. */
  #cut(task: Streams | undefined): void {
    for (const { inlet } of task?.inlets.values() ?? [])
      inlet.end({ threw: true, error: task!.run.signal.reason, atOnce: true });
  }

  #of(run: TaskRun): Streams {
    let task = this.#tasks.get(run.number);
    if (task?.run !== run) this.#tasks.set(run.number, (task = { run, inlets: new Map() }));
    return task;
  }

  #find({ id, attempt }: Place): Streams | undefined {
    const task = this.#tasks.get(id);
    return task?.run.attempt === attempt ? task : undefined;
  }

  #record(op: number, place: Place, write?: (out: ByteWriter) => void): void {
    const at = beginStreamRecord(this.#writer, op, place);
    write?.(this.#writer);
    endStreamRecord(this.#writer, at);
    const record = this.#writer.take();
    this.#post({ type: "stream", record }, [record.buffer as ArrayBuffer]);
  }
}
