import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import * as sky from "skyward";
import { Rig } from "../../rig/rig.ts";

const BLACKOUT_MS = 5000;
const EVERY_MS = 20_000;
const ROUNDS = 6;

const nap = sky.fn(async (index: number) => {
  await new Promise((resolve) => setTimeout(resolve, 100));
  const { appendFileSync } = await import("node:fs");
  appendFileSync("/tmp/naps", `${index}\n`);
  return index;
});

/** For two minutes the way is dark for 5 s every 20 s: no task is lost, none runs twice. */
export async function blackout(): Promise<void> {
  await using rig = await Rig.start({ machines: 2 });
  const options = { provider: sky.ssh(rig.ssh), worker: { concurrency: 2 }, console: "log" as const };
  const count = ((ROUNDS * EVERY_MS) / 100) * 4;
  await sky.compute(options, async (pool) => {
    const dark = (async () => {
      for (let round = 0; round < ROUNDS; round++) {
        await sleep(EVERY_MS - BLACKOUT_MS);
        await Promise.all(rig.machines.map((machine) => machine.cutOff()));
        await sleep(BLACKOUT_MS);
        await Promise.all(rig.machines.map((machine) => machine.reconnect()));
      }
    })();
    const results = await pool.map(
      nap,
      Array.from({ length: count }, (_, index) => index),
    );
    await dark;
    assert.equal(results.length, count);
  });
  const texts = await Promise.all(rig.machines.map((machine) => machine.exec("cat", "/tmp/naps")));
  const ran = texts.flatMap((text) => text.split("\n"));
  assert.equal(ran.length, count, "a task ran twice");
  assert.equal(new Set(ran).size, count);
}
