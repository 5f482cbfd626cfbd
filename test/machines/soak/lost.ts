import assert from "node:assert/strict";
import * as sky from "skyward";
import { Rig } from "../../rig/rig.ts";

/** 15 s until the silence is noticed, and 30 s of trying. */
const LOST_AFTER_MS = [30_000, 60_000] as const;

/** A machine that stays out of reach is lost in about 45 s. */
export async function lost(): Promise<void> {
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
