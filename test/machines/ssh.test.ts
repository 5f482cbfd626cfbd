import { describe, expect, it } from "vitest";
import * as sky from "skyward";
import { Rig } from "../rig/rig.ts";
import { Program } from "../support/run-program.ts";

const where = sky.fn(async () => {
  const [{ hostname }, { version }] = [await import("node:os"), process];
  return { host: hostname(), node: version, rank: sky.instanceInfo().node };
});

describe("sky.ssh on machines of their own", () => {
  it("runs tasks on three, sending Node to those that have none, and leaves none of its processes", async () => {
    await using rig = await Rig.start({ machines: 1 });
    await rig.add(2, { kind: "bare" });
    const places = await sky.compute(
      { provider: sky.ssh(rig.ssh), console: "silent" },
      async (pool) => await pool.broadcast(where()),
    );
    expect(new Set(places.map((place) => place.host)).size).toBe(3);
    expect(places.map((place) => place.rank)).toEqual([0, 1, 2]);
    for (const place of places) expect(place.node).toMatch(/^v24\./);
    for (const machine of rig.machines) {
      const processes = await machine.exec("ps", "-eo", "args");
      expect(processes).not.toMatch(/agent|node/);
    }
  });

  it("loses no task when a machine is cut off for a moment", async () => {
    await using rig = await Rig.start({ machines: 3 });
    const [first] = rig.machines;
    const nap = sky.fn(async (index: number) => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      return index;
    });
    const results = await sky.compute({ provider: sky.ssh(rig.ssh), console: "silent" }, async (pool) => {
      const batch = pool.map(
        nap,
        Array.from({ length: 60 }, (_, index) => index),
      );
      let done = 0;
      for await (const index of batch.unordered()) {
        expect(index).toBeLessThan(60);
        done++;
        if (done === 5) await first!.cutOff();
        if (done === 15) await first!.reconnect();
      }
      return done;
    });
    expect(results).toBe(60);
  });

  it("does over a way of 50 ms that loses 1 % what it does nearby", async () => {
    await using rig = await Rig.start({ weather: { delayMs: 25, loss: 0.01 } });
    const said = await Program.run("over-ssh", { args: ["work"], env: { SSH: JSON.stringify(rig.ssh) } });
    expect(said.match(/^ok .*/gm)).toEqual([
      "ok run, map and broadcast",
      "ok logs",
      "ok errors",
      "ok timeout",
      "ok large values",
    ]);
  });
});
