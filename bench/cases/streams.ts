import * as sky from "skyward";
import { Sshd } from "../../test/support/sshd.ts";
import { delayLink } from "../../test/support/weather.ts";
import { noop } from "../functions.ts";
import { elapsed, inTurns, roundTrips, type Case } from "../harness.ts";
import { localPool, sshPool } from "../pools.ts";
import { loopback } from "../ssh-machine.ts";

const ELEMENTS = 1_000_000;
/** Long enough that what a stream pays once is not what is measured: the way there and back, and TCP that begins slowly. */
const FAR_ELEMENTS = 5_000_000;

const numbers = sky.fn(async function* (to: number) {
  for (let i = 0; i < to; i++) yield i;
});
const count = sky.fn(async (items: AsyncIterable<number>) => {
  let many = 0;
  for await (const _ of items) many++;
  return many;
});
const passOn = sky.fn(async function* (items: AsyncIterable<number>) {
  for await (const item of items) yield item;
});

async function* source(to: number): AsyncGenerator<number> {
  for (let i = 0; i < to; i++) yield i;
}

async function read(items: AsyncIterable<unknown>): Promise<number> {
  let many = 0;
  for await (const _ of items) many++;
  return many;
}

/** Elements per second of `work`, which passes so many. */
async function perSecond(elements: number, work: () => unknown): Promise<number> {
  return elements / ((await elapsed(work)) / 1000);
}

/** Small elements from a node, to one, and both at once; and how long the first one takes. */
export const streams: Case = {
  name: "streams",
  async run(report) {
    await using pool = await localPool();
    const rates = await inTurns({
      here: () => perSecond(ELEMENTS, () => read(source(ELEMENTS))),
      out: () => perSecond(ELEMENTS, () => read(pool.run(numbers(ELEMENTS)))),
      into: () => perSecond(ELEMENTS, () => pool.run(count(source(ELEMENTS)))),
      both: () => perSecond(ELEMENTS, () => read(pool.run(passOn(source(ELEMENTS))))),
    });
    report("a generator read where it is", rates.here, "elements/s");
    report("stream from a local node", rates.out, "elements/s", { atLeast: 100_000 });
    report("stream to a local node", rates.into, "elements/s", { atLeast: 100_000 });
    report("stream through a local node", rates.both, "elements/s", { atLeast: 100_000 });
    const first = async (): Promise<void> => {
      for await (const _ of pool.run(numbers(1))) return;
    };
    const trips = await inTurns({
      call: async () => (await roundTrips(() => pool.run(noop()), 1000)).p50,
      first: async () => (await roundTrips(async () => (await pool.run(numbers(1))).next(), 1000)).p50,
      whole: async () => (await roundTrips(first, 1000)).p50,
    });
    report("first element of a stream, p50", trips.first, "us", { of: trips.call, atMost: 2 });
    report("a stream of one element, left, p50", trips.whole, "us", { of: trips.call });
  },
};

/** Bytes and writes for each element: counted, so the same on every machine. */
export const streamsWire: Case = {
  name: "streams on the wire",
  counted: true,
  async run(report) {
    await using pool = await localPool();
    const [before] = pool.stats();
    await read(pool.run(numbers(ELEMENTS)));
    const [between] = pool.stats();
    await pool.run(count(source(ELEMENTS)));
    const [after] = pool.stats();
    report(
      "bytes received for an element of a stream",
      (between!.bytesReceived - before!.bytesReceived) / ELEMENTS,
      "B",
      {
        atMost: 6.1,
      },
    );
    report("bytes sent for an element of a stream", (after!.bytesSent - between!.bytesSent) / ELEMENTS, "B", {
      atMost: 6.1,
    });
    report("writes for an element of a stream", (after!.writesSent - between!.writesSent) / ELEMENTS, "writes", {
      atMost: 0.001,
    });
  },
};

/** 50 ms away: a window that is too small for the round trip shows here and nowhere else. */
export const streamsAfar: Case = {
  name: "streams at a distance",
  async run(report) {
    const link = await delayLink({ delayMs: 25 });
    try {
      await using sshd = await Sshd.start();
      await using near = await sshPool(loopback(sshd));
      await using far = await sshPool(link);
      const rates = await inTurns(
        {
          near: () => perSecond(FAR_ELEMENTS, () => read(near.run(numbers(FAR_ELEMENTS)))),
          far: () => perSecond(FAR_ELEMENTS, () => read(far.run(numbers(FAR_ELEMENTS)))),
          nearInto: () => perSecond(FAR_ELEMENTS, () => near.run(count(source(FAR_ELEMENTS)))),
          farInto: () => perSecond(FAR_ELEMENTS, () => far.run(count(source(FAR_ELEMENTS)))),
        },
        3,
      );
      report("stream from a node by ssh", rates.near, "elements/s");
      report("stream from a node at 50 ms", rates.far, "elements/s", { of: rates.near, atLeast: 0.7 });
      report("stream to a node by ssh", rates.nearInto, "elements/s");
      report("stream to a node at 50 ms", rates.farInto, "elements/s", { of: rates.nearInto, atLeast: 0.7 });
    } finally {
      await link.close();
    }
  },
};
