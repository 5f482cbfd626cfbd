import { describe, expect, it } from "vitest";
import * as sky from "skyward";
import { imageOf } from "../rig/images.ts";

describe("sky.container", () => {
  it("creates nodes with the CPU and memory that were asked for, runs tasks on them, and leaves none", async () => {
    const provider = sky.container({ image: await imageOf("baked"), vcpus: 0.5, memoryGb: 0.5 });
    const places = await sky.compute(
      { name: "limits", provider, nodes: 2 },
      async (pool) =>
        await pool.broadcast(
          sky.fn(async () => {
            const { readFileSync } = await import("node:fs");
            return readFileSync("/sys/fs/cgroup/memory/memory.limit_in_bytes", "utf8").trim();
          })(),
        ),
    );
    expect(places).toEqual(["536870912", "536870912"]);
  });
});
