import type * as sky from "skyward";
import { rate, type Case } from "../harness.ts";
import { noop } from "../functions.ts";
import { localPool } from "../pools.ts";

const TASKS = 200_000;

/** Bytes and writes for a no-op with 1,000 in flight: counted, so the same on every machine. */
export const wire: Case = {
  name: "wire",
  counted: true,
  async run(report) {
    await using pool = await localPool();
    await rate(() => pool.run(noop()), 10_000);
    const before = totals(pool);
    await rate(() => pool.run(noop()), TASKS);
    const after = totals(pool);
    const perTask = (key: keyof Totals): number => (after[key] - before[key]) / TASKS;
    report("local, bytes sent per no-op, 1,000 in flight", perTask("bytesSent"), "B", { atMost: 4 });
    report("local, bytes received per no-op, 1,000 in flight", perTask("bytesReceived"), "B", { atMost: 4 });
    report("local, writes per no-op, 1,000 in flight", perTask("writesSent"), "writes", { atMost: 0.005 });
  },
};

interface Totals {
  bytesSent: number;
  bytesReceived: number;
  writesSent: number;
}

function totals(pool: sky.Pool): Totals {
  const sum: Totals = { bytesSent: 0, bytesReceived: 0, writesSent: 0 };
  for (const node of pool.stats()) {
    sum.bytesSent += node.bytesSent;
    sum.bytesReceived += node.bytesReceived;
    sum.writesSent += node.writesSent;
  }
  return sum;
}
