import { setTimeout as sleep } from "node:timers/promises";
import { describe, type ExpectStatic, it } from "vitest";
import * as sky from "skyward";
import { Rig } from "../rig/rig.ts";
import type { RigMachine } from "../rig/machine.ts";
import type { Weather } from "../rig/weather.ts";

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

/** Several megabytes there and back, at once. */
async function large(pool: sky.Pool, expect: ExpectStatic): Promise<void> {
  const data = range(3).map((index) => new Float64Array(500_000).fill(index));
  const results = await pool.map(size, data);
  expect(results.map((one) => [one.length, one[499_999]])).toEqual(range(3).map((index) => [500_000, index]));
}

const WEATHERS: Readonly<Record<string, Weather>> = {
  "a good way": {},
  "a way of 50 ms that loses 1 %": { delayMs: 25, loss: 0.01 },
};

describe.concurrent.each(Object.keys(WEATHERS))("the connection of a node over %s", { timeout: 120_000 }, (name) => {
  const start = (machines: number): Promise<Rig> => {
    const weather = WEATHERS[name]!;
    return Rig.start({ machines, ...(weather.loss === undefined ? {} : { weather }) });
  };

  it("may lose its sshd again and again: no task is lost, none runs twice", async ({ expect }) => {
    await using rig = await start(2);
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

  it("may be dark for 5 s: no task is lost, none runs twice", async ({ expect }) => {
    await using rig = await start(2);
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

  it("is one, whatever happens to it, and one more only for large values", async ({ expect }) => {
    await using rig = await start(1);
    const machine = rig.machines[0]!;
    await sky.compute({ provider: sky.ssh(rig.ssh), console: "silent" }, async (pool) => {
      const small = await machine.countConnections();
      const naps = pool.map(nap, range(30));
      for (let done = 0; done < 2; done++) {
        await pool.exec("hostname");
        await machine.killSshd();
      }
      await naps;
      expect(await connections(machine)).toBe(1);
      expect(await small()).toBe(1);

      const big = await machine.countConnections();
      await large(pool, expect);
      expect(await connections(machine)).toBe(2);
      const sending = [large(pool, expect), large(pool, expect), pool.map(nap, range(10))];
      await machine.killSshd();
      await Promise.all(sending);
      expect((await pool.exec("hostname"))[0]).toMatchObject({ code: 0 });
      expect(await connections(machine)).toBe(2);
      expect(await big()).toBe(2);
    });
    await expect.poll(() => connections(machine)).toBe(0);
  });

  it("carries calls, streams, large values and errors", async ({ expect }) => {
    await using rig = await start(2);
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
