import { inTurns, rate, type Case } from "../harness.ts";
import { noop } from "../functions.ts";
import { piscina } from "../peers/piscina.ts";
import { localPool } from "../pools.ts";

/** 1,000 no-ops in flight. */
export const throughput: Case = {
  name: "throughput",
  async run(report) {
    await using pool = await localPool();
    const [plain, deep] = [piscina(), piscina(16)];
    const medians = await inTurns({
      piscina: () => rate(() => plain.run(undefined), 30_000),
      deep: () => rate(() => deep.run(undefined), 60_000),
      ours: () => rate(() => pool.run(noop()), 300_000),
    });
    report("piscina, 1,000 in flight", medians.piscina, "tasks/s");
    report("piscina with 16 per worker, 1,000 in flight", medians.deep, "tasks/s");
    report("local, no-op, 1,000 in flight", medians.ours, "tasks/s", { of: medians.piscina, atLeast: 8 });
    report("local, no-op, 1,000 in flight, to piscina with 16", medians.ours, "tasks/s", { of: medians.deep });
    await Promise.all([plain.destroy(), deep.destroy()]);
  },
};
