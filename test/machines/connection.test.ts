import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import * as sky from "skyward";
import { Rig } from "../rig/rig.ts";
import type { RigMachine } from "../rig/machine.ts";

const nap = sky.fn(async (index: number) => {
  await new Promise((resolve) => setTimeout(resolve, 100));
  const { appendFileSync } = await import("node:fs");
  appendFileSync("/tmp/naps", `${index}\n`);
  return index;
});
const size = sky.fn(async (data: Float64Array) => new Float64Array(data.length).fill(data[0]!));

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** Tasks that ran on the machines, in order of their numbers: one that ran twice is there twice. */
async function ran(machines: readonly RigMachine[]): Promise<number[]> {
  const texts = await Promise.all(machines.map((machine) => machine.exec("cat", "/tmp/naps")));
  return texts.flatMap((text) => text.split("\n").map(Number)).sort((a, b) => a - b);
}

/** SSH connections that the machine has now. */
async function connections(machine: RigMachine): Promise<number> {
  const table = await machine.exec("cat", "/proc/net/tcp");
  // Port 22, established.
  return table.split("\n").filter((line) => /^ *\d+: \w+:0016 \w+:\w+ 01 /.test(line)).length;
}

describe("the connection of a node", () => {
  it("may lose its sshd again and again: no task is lost, none runs twice", async () => {
    await using rig = await Rig.start({ machines: 2 });
    const options = { provider: sky.ssh(rig.ssh), worker: { concurrency: 2 }, console: "silent" as const };
    await sky.compute(options, async (pool) => {
      let reconnected = 0;
      const watching = (async () => {
        for await (const event of pool.events) if (event.type === "Node.Reconnected") reconnected++;
      })();
      const batch = pool.map(nap, range(120));
      let done = 0;
      for await (const _ of batch.unordered()) {
        done++;
        if (done === 20 || done === 70) await Promise.all(rig.machines.map((machine) => machine.killSshd()));
      }
      expect(done).toBe(120);
      await pool.close();
      await watching;
      expect(reconnected).toBeGreaterThanOrEqual(4);
    });
    expect(await ran(rig.machines)).toEqual(range(120));
  });

  it("may be dark for 5 s: no task is lost, none runs twice", async () => {
    await using rig = await Rig.start({ machines: 2 });
    const [first] = rig.machines;
    const options = { provider: sky.ssh(rig.ssh), worker: { concurrency: 2 }, console: "silent" as const };
    await sky.compute(options, async (pool) => {
      const batch = pool.map(nap, range(300));
      let done = 0;
      for await (const _ of batch.unordered()) {
        if (++done !== 40) continue;
        await first!.cutOff();
        await sleep(5000);
        await first!.reconnect();
      }
      expect(done).toBe(300);
    });
    expect(await ran(rig.machines)).toEqual(range(300));
  });

  it("may be dark while a task ends, and its host die: what the task gave is on the machine's disk", async () => {
    await using rig = await Rig.start({ machines: 1 });
    const machine = rig.machines[0]!;
    const once = sky.fn(
      async () => {
        const { appendFileSync, existsSync } = await import("node:fs");
        appendFileSync("/tmp/runs", `${sky.task().attempt} ${process.pid}\n`);
        while (!existsSync("/tmp/go")) await new Promise((resolve) => setTimeout(resolve, 10));
        return "ended in the dark";
      },
      { rerun: "never" },
    );
    const sh = (script: string): Promise<string> => machine.exec("sh", "-c", script);
    await sky.compute({ provider: sky.ssh(rig.ssh), console: "silent" }, async (pool) => {
      const task = pool.run(once());
      await expect.poll(() => sh("cat /tmp/runs || true"), { timeout: 10_000 }).toMatch(/^1 \d+$/);
      const [, host] = (await sh("cat /tmp/runs")).split(" ");
      await machine.cutOff();
      await sh("touch /tmp/go");
      const kept = (): Promise<string> => sh("find / -xdev -path '*/outcomes/*' -type f -size +0 2>/dev/null || true");
      await expect.poll(kept, { timeout: 10_000 }).toMatch(/\/small$/);
      await sh(`kill -KILL ${host}`);
      await machine.reconnect();
      expect(await task).toBe("ended in the dark");
      expect(task.attempts).toHaveLength(1);
      await expect.poll(kept, { timeout: 10_000 }).toBe("");
    });
    expect(await sh("cat /tmp/runs")).toMatch(/^1 \d+$/);
  });

  it("is one, and one more only for large values", async () => {
    await using rig = await Rig.start({ machines: 1 });
    const [machine] = rig.machines;
    await sky.compute({ provider: sky.ssh(rig.ssh), console: "silent" }, async (pool) => {
      await pool.map(nap, range(10));
      expect(await connections(machine!)).toBe(1);
      const data = new Float64Array(1_000_000).fill(7);
      const results = await pool.map(size, [data, data.slice(), data.slice()]);
      expect(results.map((one) => [one.length, one[999_999]])).toEqual(Array(3).fill([1_000_000, 7]));
      expect(await connections(machine!)).toBe(2);
      expect((await pool.exec("hostname"))[0]).toMatchObject({ code: 0 });
      expect(await connections(machine!)).toBe(2);
    });
    await expect.poll(() => connections(machine!)).toBe(0);
  });

  it("may be far and lose packets: calls, streams, large values and errors are what they are nearby", async () => {
    await using rig = await Rig.start({ machines: 2 });
    await Promise.all(rig.machines.map((machine) => machine.weather({ delayMs: 25, loss: 0.01 })));
    const count = sky.fn(async function* (to: number) {
      for (let index = 0; index < to; index++) yield index;
    });
    const fails = sky.fn((text: string) => {
      throw new RangeError(text);
    });
    await sky.compute({ provider: sky.ssh(rig.ssh), console: "silent" }, async (pool) => {
      expect(await pool.map(nap, range(60))).toEqual(range(60));
      const seen: number[] = [];
      for await (const index of pool.run(count(2000))) seen.push(index);
      expect(seen).toEqual(range(2000));
      expect((await pool.run(size(new Float64Array(250_000).fill(3)))).at(-1)).toBe(3);
      await expect(pool.run(fails("far away"))).rejects.toThrow(new RangeError("far away"));
      expect(await pool.broadcast(nap(1000))).toEqual([1000, 1000]);
    });
  });
});
