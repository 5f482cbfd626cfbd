import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, it } from "vitest";
import { Rig } from "../rig/rig.ts";
import { Clocks } from "./clock.ts";
import { type Controller, ends, Someone } from "./controller-process.ts";

const TTL_MS = 6000;
const TTL = "6s";

/** Its one machine. */
async function machineOf(controller: Controller): Promise<string> {
  await controller.says(/^working/m);
  return (await controller.machines())[0]!;
}

/** From when its log has the first word of node 0 to when it has the second one for the nth time. */
function secondsBetween({ output }: Controller, first: string, second: string, nth: number): number {
  const times = (word: string): number[] =>
    [...output.matchAll(new RegExp(`^(\\d+):(\\d+):(\\d+) +node 0 +${word}`, "gm"))].map(
      ([, hours, minutes, seconds]) => Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds),
    );
  return (times(second)[nth - 1]! - times(first)[0]! + 86_400) % 86_400;
}

/** A busy computer takes several times as long. */
const timeout = 120_000;

describe.concurrent("a node whose controller is silent", { timeout }, () => {
  it("finishes its task, waits for who comes to get the outcome, and goes", async ({ expect }) => {
    await using me = new Someone();
    const controller = await me.controller({ TTL, HOLD: "9000" });
    const name = await machineOf(controller);
    const began = performance.now();
    controller.signal("SIGKILL");
    await ends(name);
    expect(performance.now() - began).toBeGreaterThan(9000);
    await expect.poll(() => controller.machines(), { timeout: 10_000 }).toEqual([]);
  });

  it("keeps the outcome of a task that took longer than the lease for a controller that stood still", async ({
    expect,
  }) => {
    await using me = new Someone();
    const controller = await me.controller({ TTL, HOLD: "8000" });
    await machineOf(controller);
    controller.signal("SIGSTOP");
    // Two seconds after the task, four before the node would go.
    await sleep(10_000);
    controller.signal("SIGCONT");
    expect(await controller.ended, controller.output).toEqual({ code: 0, signal: null });
    expect(controller.output).toMatch(/held: done/);
    expect(controller.output).not.toMatch(/again|attempt 2|lost/);
    expect(await controller.machines()).toEqual([]);
  });

  it("keeps outcomes on a borrowed machine too, as long as its connection is there", async ({ expect }) => {
    await using rig = await Rig.start();
    await using me = new Someone();
    const controller = await me.controller({ SSH: JSON.stringify(rig.ssh), HOLD: "8000" });
    await controller.says(/^working/m);
    controller.signal("SIGSTOP");
    // Longer than a connection that is gone would be forgiven.
    await sleep(18_000);
    controller.signal("SIGCONT");
    expect(await controller.ended, controller.output).toEqual({ code: 0, signal: null });
    expect(controller.output).toMatch(/held: done/);
    expect(controller.output).not.toMatch(/again|attempt 2|lost/);
  });

  it("goes when it has nothing to do; the controller that wakes up has another one made", async ({ expect }) => {
    await using me = new Someone();
    const controller = await me.controller({ TTL, HOLD: "1", IDLE: "2000" });
    const name = await machineOf(controller);
    await controller.says(/^held/m);
    controller.signal("SIGSTOP");
    await ends(name);
    await expect.poll(() => controller.machines(), { timeout: 10_000 }).toEqual([]);
    controller.signal("SIGCONT");
    expect(await controller.ended, controller.output).toEqual({ code: 0, signal: null });
    expect(controller.output).toMatch(/node 0 +lost[^]*again: done/);
    // Nobody tries to reach the one that is gone before another one is made.
    expect(secondsBetween(controller, "lost", "create", 2)).toBeLessThan(8);
    expect(await controller.machines()).toEqual([]);
    expect(await me.ledger()).toEqual([]);
  });
});

describe.concurrent.each(["+1d", "-1d"])("a clock that is set by %s", { timeout }, (offset) => {
  let clocks: Clocks;
  beforeAll(async () => {
    clocks = await Clocks.make(offset.replace("+", "plus"));
  });
  afterAll(() => clocks[Symbol.asyncDispose]());

  it("changes nothing for a task that runs, or a node that waits", async ({ expect }) => {
    await using me = new Someone();
    const clock = `run${offset}`;
    const controller = await me.controller({ ...clocks.controller(clock), TTL, HOLD: "3000", IDLE: "8000" });
    await clocks.set(await machineOf(controller), clock, offset);
    expect(await controller.ended, controller.output).toEqual({ code: 0, signal: null });
    expect(controller.output).toMatch(/held: done[^]*again: done/);
    const day = new Date(Date.now() + Number.parseInt(offset, 10) * 86_400_000).getUTCDate();
    expect(controller.output).toMatch(new RegExp(`^days ${day} ${day}$`, "m"));
    expect(controller.output).not.toMatch(/attempt 2|lost|cut/);
    expect(await controller.machines()).toEqual([]);
    expect(await me.ledger()).toEqual([]);
  });

  it("changes nothing for a node whose controller is killed", async ({ expect }) => {
    await using me = new Someone();
    const clock = `killed${offset}`;
    const controller = await me.controller({ ...clocks.controller(clock), TTL, HOLD: "1", IDLE: "60000" });
    const name = await machineOf(controller);
    await controller.says(/^held/m);
    await clocks.set(name, clock, offset);
    await sleep(1000);
    const began = performance.now();
    controller.signal("SIGKILL");
    await ends(name);
    // The controller spoke at most two seconds before it was killed.
    expect(performance.now() - began).toBeGreaterThan(TTL_MS - 3000);
    expect(performance.now() - began).toBeLessThan(TTL_MS + 15_000);
  });
});
