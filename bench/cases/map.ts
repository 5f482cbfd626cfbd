import { elapsed, inTurns, median, REPETITIONS, type Case } from "../harness.ts";
import { noop, same, spin } from "../functions.ts";
import { localPool } from "../pools.ts";

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** Maps of trivial items: how long all take, and when the first is there. */
export const map: Case = {
  name: "map",
  async run(report) {
    await using pool = await localPool();
    const [small, large] = [numbers(100_000), numbers(1_000_000)];
    await pool.map(same, small);
    const medians = await inTurns({
      small: () => elapsed(() => pool.map(same, small)),
      large: () => elapsed(() => pool.map(same, large)),
      first: () =>
        elapsed(async () => {
          for await (const _ of pool.map(same, small)) break;
        }),
    });
    report("local, map of 100,000 trivial items", medians.small, "ms", { atMost: 300 });
    report("local, map of 1,000,000 trivial items", medians.large, "ms", { atMost: 1500 });
    report("local, map of 100,000, first result", medians.first, "ms", { atMost: 15 });
  },
};

/** Items that change their size half way: an estimate made from the first must not hold back the last. */
export const mixed: Case = {
  name: "mixed",
  async run(report) {
    await using pool = await localPool();
    const items = [...numbers(20_000).map(() => 0), ...numbers(100).map(() => 50)];
    const { total } = await inTurns({ total: () => elapsed(() => pool.map(spin, items)) }, 3);
    report("local, 20,000 trivial items, then 100 of 50 ms", total, "ms", { of: (100 * 50) / 2, atMost: 1.1 });
  },
};

/** A single call beside a long map: calls take turns. */
export const beside: Case = {
  name: "beside",
  async run(report) {
    await using pool = await localPool();
    const waits: number[] = [];
    for (let round = 0; round < REPETITIONS; round++) {
      const batch = pool.map(
        spin,
        numbers(1500).map(() => 1),
      );
      const rest = batch[Symbol.asyncIterator]();
      await rest.next();
      waits.push(await elapsed(() => pool.run(noop())));
      while (!(await rest.next()).done);
    }
    report("local, a run beside a map of 1,500 x 1 ms waits", median(waits), "ms", { atMost: 30 });
  },
};
