import { Duplex } from "node:stream";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SkyError } from "../errors/sky-error.ts";
import { Op } from "./ops.ts";
import { Session } from "./session.ts";

/** Two ends of a stream in this process, delivering what `deliver` lets through. */
function pipe(): [End, End] {
  const a = new End();
  const b = new End();
  a.other = b;
  b.other = a;
  return [a, b];
}

class End extends Duplex {
  other!: End;
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const to = this.other;
    setImmediate(() => {
      if (!to.destroyed) to.push(chunk);
      done();
    });
  }
}

function peer(): { session: Session; got: number[]; down: (Error | undefined)[] } {
  const got: number[] = [];
  const down: (Error | undefined)[] = [];
  const session = new Session({
    record: (_op, buf, start) => void got.push(buf.readUInt32LE(start)),
    down: (error) => void down.push(error),
  });
  return { session, got, down };
}

function join(a: Session, b: Session): [End, End] {
  const [left, right] = pipe();
  const [fromA, fromB] = [a.received, b.received];
  a.attach(left, fromB);
  b.attach(right, fromA);
  return [left, right];
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("a session", () => {
  it("delivers each record once and in order over links that are cut at random", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ send: fc.integer({ min: 1, max: 40 }), cut: fc.boolean(), turns: fc.nat(3) }), {
          minLength: 1,
          maxLength: 30,
        }),
        async (steps) => {
          const [a, b] = [peer(), peer()];
          let ends = join(a.session, b.session);
          let next = 0;
          for (const { send, cut, turns } of steps) {
            for (let i = 0; i < send; i++) {
              for (const one of [a, b]) {
                one.session.open(Op.NOTE);
                one.session.out.u32(next);
                one.session.close();
              }
              next++;
            }
            a.session.flush();
            b.session.flush();
            for (let i = 0; i < turns; i++) await turn();
            if (!cut) continue;
            for (const end of ends) end.destroy();
            await turn();
            await turn();
            a.session.detach();
            b.session.detach();
            ends = join(a.session, b.session);
          }
          for (let i = 0; i < 20; i++) await turn();
          const all = Array.from({ length: next }, (_, i) => i);
          expect(a.got).toEqual(all);
          expect(b.got).toEqual(all);
          a.session.dispose();
          b.session.dispose();
        },
      ),
      { numRuns: 60 },
    );
  });

  it("moves bulk with credit while control passes it", async () => {
    const [a, b] = [peer(), peer()];
    join(a.session, b.session);
    const big = Buffer.alloc(20 * 1024 * 1024, 7);
    let sentAt = -1;
    a.session.bulk.send(big, (channel) => {
      sentAt = b.got.length;
      a.session.open(Op.NOTE);
      a.session.out.u32(1_000_000 + channel);
      a.session.close();
    });
    a.session.flush();
    for (let i = 0; i < 50; i++) {
      a.session.open(Op.NOTE);
      a.session.out.u32(i);
      a.session.close();
      a.session.flush();
      await turn();
    }
    while (!b.got.includes(1_000_001)) await turn();
    expect(sentAt, "control went by before the bulk was through").toBeGreaterThan(5);
    expect(b.session.channels.take(1).equals(big)).toBe(true);
    expect(a.session.inFlightBytes).toBeLessThan(8 * 1024 * 1024);
  });

  it("closes on frames that break the protocol, and on nothing else", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 8 }), async (chunks) => {
        const { session, down } = peer();
        const [left, right] = pipe();
        session.attach(left, 0);
        for (const chunk of chunks) right.write(Buffer.from(chunk));
        for (let i = 0; i < 4; i++) await turn();
        for (const error of down) if (error) expect((error as SkyError).code).toMatch(/^SKY_(WIRE|VALUE)/);
        session.dispose();
        right.destroy();
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ["an oversized frame", Buffer.from([0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0])],
    ["a frame shorter than its header", Buffer.from([3, 0, 0, 0, 0, 0, 0])],
    ["a record longer than its frame", Buffer.from([9, 0, 0, 0, 0, 0, 0, 0, Op.NOTE, 99, 0, 0, 0])],
    ["an acknowledgement of what was never sent", Buffer.from([4, 0, 0, 0, 9, 0, 0, 0])],
    ["a chunk of no channel", Buffer.from([13, 0, 0, 0, 0, 0, 0, 0, Op.CHUNK, 4, 0, 0, 0, 1, 0, 0, 0])],
  ])("refuses %s with a clear error", async (_what, bytes) => {
    const { session, down } = peer();
    const [left, right] = pipe();
    session.attach(left, 0);
    right.write(bytes);
    for (let i = 0; i < 3; i++) await turn();
    expect(down).toHaveLength(1);
    expect((down[0] as SkyError).code).toBe("SKY_WIRE_MALFORMED");
  });
});
