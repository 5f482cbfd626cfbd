import { setTimeout as sleep } from "node:timers/promises";
import { describe, it } from "vitest";
import { type Controller, Someone } from "./controller-process.ts";

/** How the program comes to a stage and stays there for a while, and what it says then. */
const STAGES: Readonly<Record<string, readonly [env: Readonly<Record<string, string>>, says: RegExp]>> = {
  preparing: [{ SLOW: "prepare" }, /slow in prepare/],
  creating: [{ SLOW: "provision" }, /slow in provision/],
  connecting: [{}, /node 0 +connect/],
  bootstrap: [{ STEP: "sleep 3.01" }, /sleep 3\.01/],
  "starting the agent": [{}, /node 0 +start agent/],
  running: [{}, /working/],
  closing: [{ HOLD: "1", SLOW: "terminate" }, /(slow|hangs) in terminate/],
};
/** What "at once" may take on a busy computer; in order it takes some seconds at every stage but one. */
const AT_ONCE_MS = 1000;

async function at(stage: string, me: Someone, more: Readonly<Record<string, string>> = {}): Promise<Controller> {
  const [env, says] = STAGES[stage]!;
  const controller = await me.controller({ HOLD: "60000", ...env, ...more });
  await controller.says(says);
  // As a terminal does: the whole process group hears of it.
  controller.signalGroup("SIGINT");
  return controller;
}

describe.concurrent("Ctrl-C", { timeout: 120_000 }, () => {
  it.for(Object.keys(STAGES))("while %s: the machines end, then the program", async (stage, { expect }) => {
    await using me = new Someone();
    const controller = await at(stage, me);
    expect(await controller.ended, controller.output).toEqual({ code: null, signal: "SIGINT" });
    expect(controller.output).toMatch(/closing: (SIGINT was received|its scope ended)/);
    expect(await controller.machines()).toEqual([]);
    expect(await me.ledger()).toEqual([]);
  });

  it.for(Object.keys(STAGES))(
    "twice while %s: the program ends at once, a sweep gets the rest",
    async (stage, { expect }) => {
      await using me = new Someone();
      const controller = await at(stage, me, { HANG: "terminate" });
      await controller.says(/closing: (SIGINT was received|its scope ended)/);
      // Two that come together are one.
      if (stage === "closing") await sleep(300);
      controller.signalGroup("SIGINT");
      const second = performance.now();
      expect(await controller.ended, controller.output).toEqual({ code: null, signal: "SIGINT" });
      expect(performance.now() - second).toBeLessThan(AT_ONCE_MS);
      await me.sweep(true);
      expect(await controller.machines()).toEqual([]);
    },
  );

  it.for(["creating", "running"])(
    "while %s: the program's own handler runs, and has the say over what comes then",
    async (stage, { expect }) => {
      await using me = new Someone();
      const controller = await at(stage, me, { OWN: "1" });
      expect(await controller.ended, controller.output).toEqual({ code: 9, signal: null });
      expect(controller.output).toMatch(/own handler/);
      expect(controller.output).toMatch(/threw SKY_POOL_CLOSED/);
      expect(await controller.machines()).toEqual([]);
      expect(await me.ledger()).toEqual([]);
    },
  );
});
