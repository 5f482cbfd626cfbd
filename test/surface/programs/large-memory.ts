// Memory of both ends while large values move.
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import * as sky from "skyward";
import { holds, point } from "../../support/point.ts";

const MB = 1024 * 1024;
/** What a heap, and pieces on their way, come to. */
const MARGIN_MB = 40;

const sum = sky.fn((values: Float64Array) => values.reduce((all, one) => all + one, 0));
const host = sky.fn(() => process.pid);
const touch = sky.fn((bytes: number) => {
  const { minorPageFault } = process.resourceUsage();
  new Uint8Array(bytes).fill(1);
  return { faults: process.resourceUsage().minorPageFault - minorPageFault, setting: process.env["GLIBC_TUNABLES"] };
});
/** Whether memory comes in huge pages to programs that ask. */
function hasHugePages(): boolean {
  const { header } = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
  const [major, minor] = (header.glibcVersionRuntime ?? "0.0").split(".").map(Number);
  const enabled = "/sys/kernel/mm/transparent_hugepage/enabled";
  const given = existsSync(enabled) && /\[(always|madvise)\]/.test(readFileSync(enabled, "utf8"));
  return given && (major! > 2 || (major === 2 && minor! >= 35)) && process.env["GLIBC_TUNABLES"] === undefined;
}

function status(field: "VmRSS" | "VmHWM", pid: number): number {
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1024;
}

/** By how many MB processes grow at most while this runs. */
async function growth(pids: readonly number[], run: () => unknown): Promise<number[]> {
  for (const pid of pids) writeFileSync(`/proc/${pid}/clear_refs`, "5");
  const before = pids.map((pid) => status("VmRSS", pid));
  await run();
  return pids.map((pid, index) => status("VmHWM", pid) - before[index]!);
}

await sky.compute({ nodes: 1, console: "silent" }, async (pool) => {
  const there = await pool.run(host());
  const values = new Float64Array(16 * MB).fill(1);
  await pool.run(sum(new Float64Array(MB)));

  await point("a large argument takes its own size here, and no more", async () => {
    const [grown] = await growth([process.pid], async () => assert.equal(await pool.run(sum(values)), 16 * MB));
    holds(grown! < 128 + MARGIN_MB, `grown by ${grown} MB`);
  });

  await point("the next ones take its place, and in the end the memory is given back", async () => {
    const [grown] = await growth([process.pid], async () => {
      for (let i = 0; i < 3; i++) await pool.run(sum(values));
    });
    holds(grown! < MARGIN_MB, `grown by ${grown} MB`);
    const before = status("VmRSS", process.pid);
    for (let i = 0; i < 100 && status("VmRSS", process.pid) > before - 100; i++) {
      await sleep(100);
    }
    holds(status("VmRSS", process.pid) < before - 100, "the memory is held on to");
  });

  await point("large items that are pulled do not pile up, here or on the node", async () => {
    const made = { items: 0, ended: 0, most: 0 };
    const items = function* () {
      for (let i = 0; i < 48; i++) {
        made.most = Math.max(made.most, ++made.items - made.ended);
        yield values.subarray(0, 2 * MB);
      }
    };
    const [here, onNode] = await growth([process.pid, there], async () => {
      const batch = pool.map(sum, items());
      for await (const one of batch) {
        assert.equal(one, 2 * MB);
        made.ended++;
      }
    });
    assert.equal(made.ended, 48);
    holds(made.most < 24, `${made.most} of 48 items at a time`);
    holds(here! < 256 + 2 * MARGIN_MB && onNode! < 512, `grown by ${here} and ${onNode} MB`);
  });

  await point("memory that is used again holds nothing that is still needed", async () => {
    const one = (n: number): Float64Array => new Float64Array(MB / 4).fill(n);
    using ref = pool.put(one(1000));
    const tasks = Array.from({ length: 200 }, (_, n) => async () => {
      const task = pool.run(sum(n % 10 === 3 ? ref : one(n)));
      if (n % 7 === 5) task.cancel();
      const result = await task.catch((error: unknown) => (error as sky.SkyError).code);
      if (n % 10 === 3 && n % 7 !== 5) assert.equal(result, 250 * MB);
      else holds(result === (n * MB) / 4 || (n % 7 === 5 && result === "SKY_TASK_CANCELLED"), `${n}: ${result}`);
    });
    for (let from = 0; from < tasks.length; from += 20) {
      await Promise.all(tasks.slice(from, from + 20).map((task) => task()));
      pool.put(one(from)).release();
    }
  });
});

for (const executor of ["thread", "process"] as const) {
  await sky.compute({ nodes: 1, worker: { executor }, console: "silent" }, async (pool) => {
    await point(`in a ${executor} large memory takes few faults where the machine has huge pages`, async () => {
      const { faults, setting } = await pool.run(touch(64 * MB));
      holds(faults < 8192 === hasHugePages(), `${faults} faults`);
      // What a task starts gets nothing of it.
      assert.equal(setting, process.env["GLIBC_TUNABLES"]);
    });
  });
}
