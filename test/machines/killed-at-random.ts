import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { random } from "../support/random.ts";
import { Someone } from "./controller-process.ts";

/** About what a run of two machines takes, and some more where this computer is busy. */
const RUN_MS = 6000;
/** With which a killed controller's machines end by themselves. */
const TTL_S = 4;
const LEASE_LIMIT_MS = 60_000;

/**
 * Kills a controller at a moment that the seed says, alone or with its process group, and sees that nothing is left:
 * after one sweep, or without any, by the leases.
 * @returns what it was doing
 */
export async function killedAtRandom(seed: number, by: "sweep" | "lease"): Promise<string> {
  const next = random(seed);
  const [afterMs, group, holdMs] = [next() * RUN_MS, next() < 0.5, Math.round(next() * 1500)];
  await using me = new Someone();
  const controller = await me.controller({ NODES: "2", HOLD: String(holdMs), TTL: `${TTL_S}s` });
  await controller.says(/^owner/m);
  await sleep(afterMs);
  if (group) controller.signalGroup("SIGKILL");
  else controller.signal("SIGKILL");
  await controller.ended;
  const doing = controller.output.trimEnd().split("\n").at(-1)!;
  const how = `seed ${seed}, killed ${group ? "with its group " : ""}after ${Math.round(afterMs)} ms at "${doing}"`;
  const left = await controller.machines();
  if (by === "sweep") {
    const { machines, unasked } = await me.sweep(true);
    assert.deepEqual(unasked, [], how);
    assert(
      machines.every(({ removed }) => removed),
      `${how}: a machine stays: ${machines.map(({ reason, error }) => error ?? reason).join("; ")}`,
    );
  } else {
    const began = performance.now();
    // A create call that is under way when its controller dies goes on without it.
    await sleep(1000);
    while ((await controller.machines()).length > 0) {
      assert(performance.now() - began < LEASE_LIMIT_MS, `${how}: ${(await controller.machines()).join()} stays`);
      await sleep(500);
    }
  }
  assert.deepEqual(await controller.machines(), [], how);
  return `${how}; ${left.length} machines were there`;
}
