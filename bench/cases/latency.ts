import { inTurns, roundTrips, type Case } from "../harness.ts";
import { noop } from "../functions.ts";
import { piscina } from "../peers/piscina.ts";
import { unixEcho } from "../peers/raw-echo.ts";
import { localPool } from "../pools.ts";

/** One no-op in flight: what a call costs when nothing else goes on. */
export const latency: Case = {
  name: "latency",
  async run(report) {
    await using echo = await unixEcho();
    await using pool = await localPool();
    const threads = piscina();
    const tails: number[] = [];
    const p50 = async (once: () => PromiseLike<unknown>): Promise<number> => (await roundTrips(once)).p50;
    const ours = async (): Promise<number> => {
      const trips = await roundTrips(() => pool.run(noop()));
      tails.push(trips.p99);
      return trips.p50;
    };
    const medians = await inTurns({
      echo: () => p50(echo.trip),
      ours,
      piscina: () => p50(() => threads.run(undefined)),
    });
    report("raw unix echo with a thread, p50", medians.echo, "us");
    report("piscina, one in flight, p50", medians.piscina, "us");
    report("local, no-op, one in flight, p50", medians.ours, "us", { of: medians.echo, atMost: 1.6 });
    report("local, no-op, one in flight, worst p99", Math.max(...tails), "us");
    await threads.destroy();
  },
};
