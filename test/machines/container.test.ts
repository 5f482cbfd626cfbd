import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import * as sky from "skyward";
import { docker } from "../rig/docker.ts";
import { imageOf } from "../rig/images.ts";
import { conformance } from "./conformance.ts";

conformance("sky.container", async () => sky.container({ image: await imageOf("baked") }));

/** Removes the images that were saved of a pool's machines: they keep the machine's host name. */
async function withoutImagesOf(pool: string, body: (saved: () => Promise<string[]>) => Promise<void>): Promise<void> {
  const saved = async (): Promise<string[]> => {
    const names = (await docker("images", "skyward", "--format", "{{.Repository}}:{{.Tag}}")).split("\n");
    const made = await Promise.all(
      // Other tests' may go meanwhile.
      names.map((name) => docker("image", "inspect", "--format", "{{.Config.Hostname}}", name).catch(() => "")),
    );
    return names.filter((_, at) => made[at]!.startsWith(`sky-${pool}-`));
  };
  try {
    await body(saved);
  } finally {
    for (const name of await saved()) await docker("rmi", name).catch(() => undefined);
  }
}

const limits = sky.fn(async () => {
  const { readFileSync } = await import("node:fs");
  const read = (name: string): number => Number(readFileSync(`/sys/fs/cgroup/${name}`, "utf8"));
  return {
    memoryGb: read("memory/memory.limit_in_bytes") / 2 ** 30,
    vcpus: read("cpu/cpu.cfs_quota_us") / read("cpu/cpu.cfs_period_us"),
    environment: readFileSync("/proc/1/environ", "latin1"),
  };
});

describe("sky.container", () => {
  it("gives each node the CPU and memory that were asked for, and keeps its keys out of sight", async () => {
    const provider = sky.container({ image: await imageOf("baked"), vcpus: 0.5, memoryGb: 0.5 });
    const options = { name: "limits", provider, nodes: 2, console: "silent" as const };
    const found = await sky.compute(options, async (pool) => await pool.broadcast(limits()));
    expect(found).toMatchObject([
      { memoryGb: 0.5, vcpus: 0.5 },
      { memoryGb: 0.5, vcpus: 0.5 },
    ]);
    for (const { environment } of found) expect(environment).not.toMatch(/KEY|ssh-ed25519/);
  });

  it("says so when a task takes more memory than its machine has, and goes on", async () => {
    const provider = sky.container({ image: await imageOf("baked"), memoryGb: 0.25 });
    const eat = sky.fn((count: number) => {
      const eaten = Array.from({ length: count }, () => Buffer.alloc(16 * 2 ** 20, 1));
      return eaten.length;
    });
    const options = { name: "hungry", provider, retryOnInterruption: 0, console: "silent" as const };
    await sky.compute(options, async (pool) => {
      await expect(pool.run(eat(64))).rejects.toMatchObject({
        code: "SKY_TASK_LOST",
        message: expect.stringMatching(/was killed: its machine had no memory left/) as string,
      });
      expect(await pool.run(eat(1))).toBe(1);
    });
  });

  it("keeps a machine that was made ready: the next pool of the same image begins there", async () => {
    const provider = sky.container({ image: await imageOf("baked") });
    const image = { steps: [`echo ${randomUUID()} >/dev/null; cat /proc/sys/kernel/random/uuid >/root/made`] };
    const made = sky.fn(async () => {
      const { readFileSync } = await import("node:fs");
      return readFileSync("/root/made", "utf8");
    });
    const use = (): Promise<string> =>
      sky.compute({ name: "baking", provider, image, console: "silent" }, async (pool) => await pool.run(made()));
    await withoutImagesOf("baking", async (savedImages) => {
      expect(await use()).toBe(await use());
      const [saved] = await savedImages();
      const inspected = await docker("image", "inspect", "--format", "{{json .Config}}", saved!);
      expect(inspected).toContain('"skyward.image":"baked"');
      expect(inspected).not.toMatch(/PRIVATE KEY|ssh-ed25519|"skyward.owner":"\w/);
      // Nor do its files have keys or what an agent had open.
      const find =
        "find /root/.ssh /etc/ssh /tmp /run -name '*key*' -o -name 'sky-*' 2>/dev/null; ls /root/.cache/skyward";
      const files = await docker("run", "--rm", "--entrypoint", "/bin/sh", saved!, "-c", find);
      expect(files.trim().split("\n")).toEqual([
        expect.stringMatching(/^agent-/),
        "bootstrap",
        expect.stringMatching(/^ca-/),
      ]);
    });
  });

  it("puts another machine in the place of one that vanishes, and runs what it had again", async () => {
    const provider = sky.container({ image: await imageOf("baked") });
    const nap = sky.fn(async (index: number) => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      return index;
    });
    let goneAt = 0;
    await sky.compute({ name: "vanishing", provider, nodes: 2, console: "silent" }, async (pool) => {
      const replaced = (async (): Promise<number> => {
        for await (const event of pool.events) if (event.type === "Node.Replaced") return event.node;
        return -1;
      })();
      const batch = pool.map(
        nap,
        Array.from({ length: 60 }, (_, index) => index),
      );
      let ended = 0;
      for await (const index of batch.unordered()) {
        expect(index).toBeLessThan(60);
        if (++ended !== 10) continue;
        await docker("rm", "--force", pool.snapshot().nodes[1]!.machine!);
        goneAt = performance.now();
      }
      expect(ended).toBe(60);
      expect(await replaced).toBe(1);
      // Long before a machine counts as lost that only can't be reached.
      expect(performance.now() - goneAt).toBeLessThan(30_000);
    });
  });

  it("renews the lease of a machine whose bootstrap takes longer", async () => {
    const provider = sky.container({ image: await imageOf("baked") });
    const image = { steps: [`: ${randomUUID()}`, "sleep 8"] };
    const options = { name: "slow", provider, image, ttl: "4s", console: "silent" as const };
    await withoutImagesOf("slow", async () => {
      const began = performance.now();
      const memory = await sky.compute(options, async (pool) => (await pool.run(limits())).memoryGb);
      expect(memory).toBeGreaterThan(0);
      expect(performance.now() - began).toBeGreaterThan(8000);
    });
  });

  it.each([
    [{ image: "no such image" }, "SKY_BAD_OPTION", /image must be a name/],
    [{ vcpus: 0 }, "SKY_BAD_OPTION", /vcpus must be a number of at least/],
    [{ memoryGB: 1 }, "SKY_BAD_OPTION", /"memoryGB".*memoryGb/],
    [{ memoryGb: 0.1 }, "SKY_BAD_OPTION", /memoryGb must be a number of at least 0\.128/],
    [{ network: "host" }, "SKY_BAD_OPTION", /network in which each container has an address of its own/],
  ])("refuses %o at once", (options, code, message) => {
    expect(() => sky.container(options as sky.ContainerOptions)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) as string }),
    );
  });

  it.each([
    [{ binary: "no-such-engine" }, /^container: prepare: there is no command "no-such-engine"/],
    [
      { image: "localhost:1/no/such:image" },
      /^container: prepare: there is no image localhost:1\/no\/such:image.*can't be pulled/,
    ],
    [{ network: "no-such-network" }, /network no-such-network not found/],
  ])("says what the engine refuses of %o, before it has made anything", async (options, message) => {
    const provider = sky.container({ image: await imageOf("baked"), ...options });
    await expect(sky.compute({ provider, console: "silent" })).rejects.toMatchObject({
      code: "SKY_PROVIDER_REFUSED",
      message: expect.stringMatching(message) as string,
    });
  });
});
