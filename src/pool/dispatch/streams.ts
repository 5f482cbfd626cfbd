import { argumentHooks, resultHooks } from "../../function/capture/hooks.ts";
import type { Stream } from "../../function/stream.ts";
import { decodeError } from "../../values/errors.ts";
import { Op, Status } from "../../wire/ops.ts";
import { need } from "../../wire/records.ts";
import { Feed } from "../../wire/stream/feed.ts";
import { Inlet } from "../../wire/stream/inlet.ts";
import { How, type Place, readPlace } from "../../wire/stream/records.ts";
import { ResultStream } from "../result-stream.ts";
import type { Measures } from "./measures.ts";
import type { NodePort } from "./node-port.ts";
import { attribute } from "./retries.ts";
import type { SegmentTable } from "./segment-table.ts";
import { type Segment, State } from "./segment.ts";

/** Tasks that stream are looked at this often. */
const LOOK_MS = 100;
const UNMET_KEPT = 100;

/** A task that has streams, from the first word of one until the last. */
interface Live {
  readonly place: Place;
  readonly segment: Segment;
  readonly index: number;
  readonly port: NodePort;
  inlet: Inlet | undefined;
  /** Of the clock of `performance.now()`. */
  readonly since: number;
  readonly feeds: Map<number, Feed>;
  /** Its body is over; of its result there may be more on the way. */
  over: boolean;
}

/** A failure of a stream that nobody has met. */
export interface UnmetFailure {
  readonly name: string;
  readonly id: string;
  readonly error: unknown;
}

/** The streams of all tasks: results are handed out when they begin, arguments are read when their node asks for them. */
export class Streams {
  readonly #segments: SegmentTable;
  readonly #measures: Measures;
  readonly #changed: () => void;
  #timer: NodeJS.Timeout | undefined;
  readonly #live = new Map<number, Live>();
  readonly #unmet = new Set<UnmetFailure>();

  /** `changed`: what is planned may have to be planned anew. */
  constructor(segments: SegmentTable, measures: Measures, changed: () => void) {
    this.#segments = segments;
    this.#measures = measures;
    this.#changed = changed;
  }

  /** Tasks with streams. */
  get size(): number {
    return this.#live.size;
  }

  get unmet(): Iterable<UnmetFailure> {
    return this.#unmet;
  }

  /** A stream's record from a node. What belongs to no task that runs there is late, and ignored. */
  record(port: NodePort, op: number, buf: Buffer, start: number, end: number): void {
    const place = readPlace(buf, start, end);
    const at = start + 8;
    const large = op === Op.ELEMENT ? port.take((need(at, end, 4, "ELEMENT"), buf.readUInt32LE(at))) : undefined;
    const live = this.#of(port, place);
    if (!live) return;
    if (place.lane > 0) return this.#asked(live, op, place, buf, at, end);
    const inlet = this.#begun(live);
    if (large) inlet.element(large);
    else if (op === Op.ELEMENTS) {
      need(at, end, 4, "ELEMENTS");
      inlet.elements(buf, at + 4, end, buf.readUInt32LE(at));
    } else if (op === Op.END) this.#end(live, inlet, buf, at, end);
  }

  /** The body of a task is over, and its result is a stream, which tells its end itself if it has begun. */
  bodyOver(port: NodePort, segment: Segment, index: number, status: number): void {
    if (status === Status.STREAM_FAILED) return;
    const live = this.#of(port, { id: segment.first + index, attempt: segment.attempt(index), lane: 0 });
    if (!live) return;
    live.over = true;
    this.#begun(live);
  }

  /** A body whose result is a stream threw; before its first element, the error comes at that element's place. */
  failed(port: NodePort, segment: Segment, index: number, error: unknown): void {
    if (this.#live.get(segment.first + index)?.over) return;
    const live = this.#of(port, { id: segment.first + index, attempt: segment.attempt(index), lane: 0 });
    if (!live) return;
    this.#fail(live, this.#begun(live), error);
  }

  /** A task has ended, by itself or not: its arguments are read no further, and its result fails with it. */
  settled(segment: Segment, index: number, state: number, value: unknown): void {
    const live = this.#live.get(segment.first + index);
    if (live?.segment !== segment) return;
    for (const feed of live.feeds.values()) feed.drop();
    if (!live.over) {
      if (state === State.DONE) this.#live.delete(live.place.id);
      else if (live.inlet) this.#fail(live, live.inlet, value, state === State.CANCELLED);
      this.#live.delete(live.place.id);
    } else if (live.inlet?.over) this.#live.delete(live.place.id);
  }

  /** Why a task can't run again: what it has given, or has been given, is gone. */
  spent(id: number): string | undefined {
    const live = this.#live.get(id);
    if (!live) return undefined;
    if (live.inlet) return "elements of its stream had been handed out, which a second run would repeat";
    return live.feeds.size > 0 ? "an argument that streams had been read, and can't be read again" : undefined;
  }

  /** Ends what waits for the rest of a result from a node that is gone; its body was over. */
  nodeDown(rank: number, errorOf: (segment: Segment, index: number) => unknown): void {
    for (const live of this.#live.values()) {
      if (live.port.rank !== rank || !live.over) continue;
      this.#fail(live, live.inlet!, errorOf(live.segment, live.index));
      this.#live.delete(live.place.id);
    }
  }

  /** Ends everything. */
  close(reason: unknown): void {
    for (const live of this.#live.values()) {
      for (const feed of live.feeds.values()) feed.drop();
      live.inlet?.end({ threw: true, error: reason });
    }
    this.#live.clear();
    clearInterval(this.#timer);
  }

  /** What streams may run for hours: who plans by the mean of those before must know, or tasks wait behind them. */
  #look = (): void => {
    if (this.#live.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    const now = performance.now();
    const longest = new Map<number, number>();
    for (const { segment, since, over } of this.#live.values()) {
      const { group } = segment.bind;
      if (!over) longest.set(group, Math.max(longest.get(group) ?? 0, now - since));
    }
    for (const [group, ms] of longest) this.#measures.atLeast(group, ms);
    this.#changed();
  };

  #of(port: NodePort, { id, attempt }: Place): Live | undefined {
    const known = this.#live.get(id);
    if (known?.place.attempt === attempt && known.port === port) return known;
    if (known && (known.inlet || known.feeds.size > 0)) return undefined;
    const segment = this.#segments.find(id);
    const index = segment ? id - segment.first : 0;
    if (!segment || segment.state(index) !== State.RUNNING) return undefined;
    if (segment.attempt(index) !== attempt || segment.rank(index) !== port.rank) return undefined;
    const place = { id, attempt, lane: 0 };
    const since = performance.now();
    const live: Live = { place, segment, index, port, since, inlet: undefined, feeds: new Map(), over: false };
    this.#live.set(id, live);
    this.#timer ??= setInterval(this.#look, LOOK_MS);
    return live;
  }

  #begun(live: Live): Inlet {
    if (live.inlet) return live.inlet;
    const { place, segment, index, port } = live;
    live.inlet = new Inlet(resultHooks(segment.bind.code), {
      grant: (elements, bytes) => {
        port.streams.grant(place, elements, bytes);
        port.flush();
      },
      stop: () => {
        port.streams.stop(place);
        port.flush();
      },
    });
    const stream: Stream<unknown> = new ResultStream(live.inlet);
    segment.sink.began(segment, index, stream);
    return live.inlet;
  }

  #end(live: Live, inlet: Inlet, buf: Buffer, at: number, end: number): void {
    need(at, end, 1, "END");
    const how = buf[at];
    if (how === How.ENDED) inlet.end({ threw: false });
    else {
      const error = decodeError(buf, at + 1, end, resultHooks(live.segment.bind.code));
      this.#fail(live, inlet, error, false, how === How.LEFT_THREW);
    }
    if (live.over) this.#live.delete(live.place.id);
  }

  #fail({ segment, index, port }: Live, inlet: Inlet, error: unknown, atOnce = false, leaving = false): void {
    if (inlet.over) return;
    attribute(error, segment, index, port.rank);
    inlet.end({ threw: true, error, atOnce, leaving });
    if (!inlet.ending?.threw) return;
    const failure: UnmetFailure = { name: segment.bind.name, id: `t${segment.first + index}`, error };
    if (this.#unmet.size < UNMET_KEPT) this.#unmet.add(failure);
    inlet.onMet = () => this.#unmet.delete(failure);
  }

  /** A node asks for an argument, or for no more of it. */
  #asked(live: Live, op: number, place: Place, buf: Buffer, at: number, end: number): void {
    let feed = live.feeds.get(place.lane);
    if (op === Op.STOP) return feed?.stop();
    if (op !== Op.GRANT) return;
    need(at, end, 8, "GRANT");
    if (!feed) {
      const source = live.segment.sources?.get(live.index)?.get(place.lane - 1);
      if (!source) return;
      const hooks = argumentHooks(live.segment.bind.code, "args");
      const { streams } = live.port;
      feed = new Feed(place, source, hooks, NO_CREDIT, {
        record: (bytes) => {
          streams.record(bytes);
          live.port.flush();
        },
        element: (bytes) => {
          streams.element(place, bytes);
          live.port.flush();
        },
      });
      live.feeds.set(place.lane, feed);
      void feed.run();
    }
    feed.grant(buf.readUInt32LE(at), buf.readUInt32LE(at + 4));
  }
}

const NO_CREDIT = { elements: 0, bytes: 0 };
