/**
 * What takes longer than a gate may: `npm run soak -- blackout` (two minutes, the way is dark for 5 s every 20 s: no
 * task is lost, none runs twice) and `npm run soak -- lost` (a machine that stays out of reach is lost in about 40 s).
 */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import * as sky from "skyward";
import setUp from "../../rig/global-setup.ts";
import { Rig } from "../../rig/rig.ts";

const BLACKOUT_MS = 5000;
const EVERY_MS = 20_000;
const ROUNDS = 6;
const LOST_AFTER_MS = [30_000, 60_000] as const;

const nap = sky.fn(async (index: number) => {
  await new Promise((resolve) => setTimeout(resolve, 100));
  const { appendFileSync } = await import("node:fs");
  appendFileSync("/tmp/naps", `${index}\n`);
  return index;
});

async function blackout(): Promise<void> {
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

async function lost(): Promise<void> {
  await using rig = await Rig.start({ machines: 2 });
  await sky.compute({ provider: sky.ssh(rig.ssh), console: "log" }, async (pool) => {
    const began = performance.now();
    await rig.machines[1]!.cutOff();
    for await (const event of pool.events) if (event.type === "Node.Lost") break;
    const took = performance.now() - began;
    assert.ok(took > LOST_AFTER_MS[0] && took < LOST_AFTER_MS[1], `it was lost after ${Math.round(took)} ms`);
    await rig.machines[1]!.reconnect();
  });
}

const SOAKS: Readonly<Record<string, () => Promise<void>>> = { blackout, lost };

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(SOAKS);
const tearDown = await setUp();
try {
  for (const name of names) {
    const soak = SOAKS[name];
    if (!soak) throw new Error(`there is no soak "${name}"; there are ${Object.keys(SOAKS).join(", ")}`);
    await soak();
    console.log(`${name}: good`);
  }
} finally {
  await tearDown();
}
