import { elapsed, inTurns, type Case } from "../harness.ts";
import { nap } from "../functions.ts";
import { localPool } from "../pools.ts";

/** Waiting is cheap: many slots share few threads. */
export const naps: Case = {
  name: "naps",
  async run(report) {
    await using pool = await localPool(100);
    const items = Array.from({ length: 1000 }, () => 50);
    const { total } = await inTurns({ total: () => elapsed(() => pool.map(nap, items)) });
    report("local, 1,000 naps of 50 ms on 100 slots", total, "ms", { of: (1000 / 100) * 50, atMost: 1.06 });
  },
};
