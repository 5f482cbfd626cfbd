// What nodes tell of themselves. PATH begins with a folder that has an `nvidia-smi` that prints two GPUs' lines.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import * as sky from "skyward";
import { failure, holds, point } from "../../support/point.ts";

const { metrics } = sky;

/** The samples of a pool until each name has come that often. */
async function samples(image: sky.Image, wanted: Readonly<Record<string, number>>): Promise<Map<string, number[]>> {
  const seen = new Map<string, number[]>();
  await sky.compute({ image, console: "silent" }, async (pool) => {
    for await (const event of pool.events) {
      if (event.type !== "Metric.Sampled") continue;
      seen.set(event.name, [...(seen.get(event.name) ?? []), event.value]);
      if (Object.entries(wanted).every(([name, count]) => (seen.get(name)?.length ?? 0) >= count)) break;
    }
  });
  return seen;
}

const children = (): string[] =>
  readdirSync("/proc").flatMap((pid) => {
    try {
      return /^\d+$/.test(pid) ? [readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ")] : [];
    } catch {
      return [];
    }
  });

await point("the usual ones, with each GPU by its number", async () => {
  const fast = metrics.Default({ cpuInterval: "100ms", memoryInterval: "100ms", gpuInterval: "100ms" });
  const seen = await samples({ metrics: fast }, { cpu: 3, mem: 3, mem_used_mb: 3, gpu_util_0: 2, gpu_temp_1: 2 });
  holds(
    seen.get("cpu")!.every((value) => value >= 0 && value <= 100),
    String(seen.get("cpu")),
  );
  holds(seen.get("mem")!.every((value) => value > 0 && value < 100));
  assert.deepEqual(
    [seen.get("gpu_util_0")![0], seen.get("gpu_mem_mb_1")![0], seen.get("gpu_temp_1")![0]],
    [97, 20, 66],
  );
});

await point("named ones, each at its interval, and a command's number", async () => {
  const list = [
    metrics.Disk("/tmp", { interval: "100ms" }),
    metrics.NetworkRx({ interface: "lo", interval: "100ms" }),
    metrics.GPU({ index: 1, interval: "400ms" }),
    metrics.GPUTemp({ index: 0, interval: "100ms" }),
    metrics.Custom("answer", "echo not a number; echo 42", { interval: "100ms" }),
  ];
  const seen = await samples({ metrics: list }, { answer: 4, disk_: 0, gpu_temp_0: 8, gpu_util_1: 2 });
  assert.deepEqual([...seen.keys()].toSorted(), ["answer", "disk_/tmp", "gpu_temp_0", "gpu_util_1", "net_rx_lo"]);
  assert.equal(seen.get("answer")![0], 42);
  holds(seen.get("gpu_util_1")!.length < seen.get("gpu_temp_0")!.length, "each has its own interval");
});

await point("no process is started for a sample, and the first comes at once", async () => {
  const list = [
    metrics.Custom("pid", "cd /; echo $$", { interval: "100ms" }),
    metrics.Custom("ends", "echo 7; exit 3", { interval: "100ms" }),
    metrics.MemoryTotal(),
  ];
  const seen = await samples({ metrics: list }, { pid: 5, ends: 3 });
  assert.equal(new Set(seen.get("pid")).size, 1);
  assert.equal(seen.get("ends")![2], 7);
  await sky.compute({ image: { metrics: list }, console: "silent" }, async (pool) => {
    const known = (): object => pool.snapshot().nodes[0]!.metrics;
    for await (const _ of pool.events) if ("mem_total_mb" in known() && "pid" in known()) break;
  });
});

await point("no process goes on behind the pool", () => {
  assert.deepEqual(
    children().filter((command) => /nvidia-smi|echo 42/.test(command) && !command.includes("programs/metrics.ts")),
    [],
  );
});

await point("null is none", async () => {
  const image = { metrics: null };
  await sky.compute({ image, console: "silent" }, async (pool) => {
    const sampled = (async () => {
      for await (const event of pool.events) if (event.type === "Metric.Sampled") throw new Error(event.name);
    })();
    const nap = sky.fn(() => new Promise((resolve) => setTimeout(resolve, 300)));
    await Promise.race([sampled, pool.run(nap())]);
  });
});

await point("bad ones are refused before anything is made", async () => {
  const message = async (call: () => unknown): Promise<string> => (await failure(call)).message;
  assert.match(await message(() => metrics.CPU({ interval: "5ms" })), /the shortest is "100ms"/);
  assert.match(await message(() => metrics.Disk("data")), /an absolute path such as "\/data"; got "data"/);
  assert.match(await message(() => metrics.Custom("a b", "true")), /takes a name/);
  const misspelt = { intervall: "1s" } as object;
  for (const make of [metrics.CPU, metrics.GPU, metrics.NetworkRx])
    assert.match(await message(() => make(misspelt)), /has no option "intervall"; did you mean "interval"/);
  assert.match(await message(() => metrics.Memory("1s" as unknown as object)), /must be an object such as/);
  assert.match(await message(() => metrics.GPU({ index: -1 })), /the index of a GPU/);
  const wrong = { metrics: ["cpu"] } as unknown as sky.Image;
  assert.match(await message(() => sky.compute({ image: wrong })), /image\.metrics\[0\] must be a collector/);
});
