import { describe, expect, it } from "vitest";
import { decodeError } from "../../values/errors.ts";
import { Op } from "../ops.ts";
import { Feed } from "./feed.ts";
import { Inlet } from "./inlet.ts";
import { FIRST_BYTES, FIRST_ELEMENTS, How, MOST_BYTES, MOST_ELEMENTS, readPlace, STREAM_HEADER } from "./records.ts";
import type { Source } from "./source.ts";

const PLACE = { id: 2 ** 40 + 5, attempt: 2, lane: 1 };

/** Both ends of a stream with nothing between them but a tick. */
class Joined {
  readonly inlet: Inlet;
  readonly feed: Feed;
  records = 0;
  /** What the feed may have out, and most it had. */
  granted = { elements: FIRST_ELEMENTS, bytes: FIRST_BYTES };

  constructor(source: Source) {
    this.feed = new Feed(PLACE, source, undefined, this.granted, {
      record: (bytes) => setImmediate(() => this.#record(Buffer.from(bytes))),
      element: (bytes) => setImmediate(() => this.inlet.element(Buffer.from(bytes))),
    });
    this.inlet = new Inlet(undefined, {
      grant: (elements, bytes) => {
        this.granted = { elements: this.granted.elements + elements, bytes: this.granted.bytes + bytes };
        setImmediate(() => this.feed.grant(elements, bytes));
      },
      stop: () => setImmediate(() => this.feed.stop()),
    });
  }

  #record(record: Buffer): void {
    this.records++;
    const { id, attempt, lane } = readPlace(record, 5, record.length);
    if (
      id !== PLACE.id ||
      attempt !== PLACE.attempt ||
      lane !== PLACE.lane ||
      record.readUInt32LE(1) !== record.length - 5
    )
      throw new Error("a record for somebody else");
    if (record[0] === Op.ELEMENTS)
      this.inlet.elements(record, STREAM_HEADER + 4, record.length, record.readUInt32LE(STREAM_HEADER));
    else {
      const how = record[STREAM_HEADER];
      const error = how === How.ENDED ? undefined : decodeError(record, STREAM_HEADER + 1, record.length);
      this.inlet.end({ threw: how !== How.ENDED, error, leaving: how === How.LEFT_THREW });
    }
  }
}

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await tick();
}
function* upTo(to: number): Generator<number> {
  for (let i = 0; i < to; i++) yield i;
}

describe("a stream", () => {
  it("brings the elements of one tick in few records, and the first at once", async () => {
    const ends = new Joined(upTo(10_000));
    void ends.feed.run();
    await tick();
    expect(ends.records).toBeGreaterThan(0);
    for (let i = 0; i < 10_000; i++) expect(await ends.inlet.next()).toEqual({ done: false, value: i });
    expect(await ends.inlet.next()).toEqual({ done: true, value: undefined });
    expect(ends.records).toBeLessThan(30);
  });

  it("is read no further than its consumer has room, in elements and in bytes", async () => {
    let made = 0;
    const small = new Joined(
      (function* () {
        for (;;) yield void made++;
      })(),
    );
    void small.feed.run();
    for (let before = -1; before !== made; await settle()) before = made;
    expect(made).toBe(FIRST_ELEMENTS);
    made = 0;
    const text = "x".repeat(1000);
    const wide = new Joined(
      (function* () {
        for (;;) yield (((made += 1), text));
      })(),
    );
    void wide.feed.run();
    for (let before = -1; before !== made; await settle()) before = made;
    expect(made * 1000).toBeLessThanOrEqual(FIRST_BYTES + 1000);
    expect(wide.inlet.waitingBytes).toBeLessThanOrEqual(FIRST_BYTES + 2000);
  });

  it("has a window that grows while the consumer is the faster one, to its limits", async () => {
    let made = 0;
    const ends = new Joined(
      (function* () {
        for (;;) yield made++;
      })(),
    );
    void ends.feed.run();
    const taken = 4_000_000;
    for (let i = 0; i < taken; i++) await ends.inlet.next();
    await settle();
    expect(made - taken).toBeGreaterThan(FIRST_ELEMENTS);
    expect(made - taken).toBeLessThanOrEqual(MOST_ELEMENTS);
    expect(ends.inlet.waitingBytes).toBeLessThanOrEqual(MOST_BYTES + 1000);
    ends.feed.drop();
  });

  it("passes large elements by, in their place", async () => {
    const ends = new Joined([1, new Uint8Array(100_000), 2].values());
    void ends.feed.run();
    const kinds: unknown[] = [];
    for (let step = await ends.inlet.next(); !step.done; step = await ends.inlet.next())
      kinds.push(step.value instanceof Uint8Array ? step.value.length : step.value);
    expect(kinds).toEqual([1, 100_000, 2]);
  });

  it("keeps many small arrivals in little more than their bytes", () => {
    const inlet = new Inlet(undefined, { grant: () => {}, stop: () => {} });
    const one = Buffer.from([1, 7]);
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 50_000; i++) inlet.elements(one, 0, 2, 1);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024);
    expect(inlet.waitingBytes).toBe(100_000);
  });

  it("serves askers in turn, and tells all of them the end", async () => {
    const ends = new Joined(upTo(2));
    const asked = [ends.inlet.next(), ends.inlet.next(), ends.inlet.next(), ends.inlet.next()];
    void ends.feed.run();
    expect((await Promise.all(asked)).map((step) => step.value)).toEqual([0, 1, undefined, undefined]);
  });

  it("tells an error once, behind what came before it", async () => {
    const ends = new Joined(
      (function* () {
        yield 1;
        throw new RangeError("dry");
      })(),
    );
    const end = await ends.feed.run();
    expect(end).toMatchObject({ threw: true, untold: false });
    expect((await ends.inlet.next()).value).toBe(1);
    await expect(ends.inlet.next()).rejects.toThrow("dry");
    expect(await ends.inlet.next()).toEqual({ done: true, value: undefined });
  });

  it("closes a source whose element can't travel", async () => {
    let closed = false;
    const ends = new Joined(
      (function* () {
        try {
          yield new WeakMap();
        } finally {
          closed = true;
        }
      })(),
    );
    await ends.feed.run();
    expect(closed).toBe(true);
    await expect(ends.inlet.next()).rejects.toMatchObject({ code: "SKY_VALUE_UNSERIALIZABLE" });
  });

  it("ends its source when the consumer leaves, which waits for that", async () => {
    let cleaned = false;
    const ends = new Joined(
      (async function* () {
        try {
          for (;;) yield 1;
        } finally {
          await settle();
          cleaned = true;
        }
      })(),
    );
    void ends.feed.run();
    await ends.inlet.next();
    await ends.inlet.leave();
    expect(cleaned).toBe(true);
    expect(await ends.inlet.next()).toEqual({ done: true, value: undefined });
  });

  it("says nothing of a discreet failure before the first element", async () => {
    const sent: Uint8Array[] = [];
    const source: Iterator<number> = {
      next: () => {
        throw new Error("at once");
      },
    };
    const feed = new Feed(
      PLACE,
      source,
      undefined,
      { elements: 10, bytes: 10 },
      {
        record: (bytes) => sent.push(bytes),
        element: () => {},
      },
    );
    expect(await feed.run(true)).toMatchObject({ threw: true, untold: true });
    expect(sent).toEqual([]);
  });
});

describe("a peer that breaks the rules", () => {
  const inlet = (): Inlet => new Inlet(undefined, { grant: () => {}, stop: () => {} });

  it("is refused when it sends more than it was granted", () => {
    expect(() => inlet().elements(Buffer.alloc(2), 0, 2, FIRST_ELEMENTS + 1)).toThrow(/granted/);
    const large = Buffer.alloc(FIRST_BYTES + 100_000);
    expect(() => inlet().elements(large, 0, large.length, 1)).toThrow(/granted/);
    expect(() => new Inlet(undefined, { grant: () => {}, stop: () => {} }, true).elements(large, 0, 2, 1)).toThrow(
      /granted/,
    );
  });

  it("ends the stream with an error when an element goes past its record", async () => {
    const one = inlet();
    one.elements(Buffer.from([9, 1]), 0, 2, 1);
    await expect(one.next()).rejects.toMatchObject({ code: "SKY_WIRE_MALFORMED" });
    const other = inlet();
    other.elements(Buffer.from([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80]), 0, 7, 1);
    await expect(other.next()).rejects.toMatchObject({ code: "SKY_WIRE_MALFORMED" });
  });
});
