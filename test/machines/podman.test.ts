import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as sky from "skyward";
import { sweep } from "../../src/pool/ledger/sweep.ts";
import { restore } from "../../src/cli/sweep/restore.ts";
import { ownerId } from "../../src/pool/ledger/owner.ts";
import { removeImages, savedImages } from "../../src/providers/container/saved-images.ts";
import { remove } from "../../src/providers/created/remove.ts";
import { imageOf } from "../rig/images.ts";
import { Someone } from "./controller-process.ts";

const LIMIT_MS = 60_000;
const dir = mkdtempSync(join(tmpdir(), "podman-"));
const signal = (): AbortSignal => AbortSignal.timeout(LIMIT_MS);
const podman = async (...words: readonly string[]): Promise<string> =>
  (await promisify(execFile)("podman", [...words])).stdout.trim();

/** Docker's image, given to Podman once. */
async function bakedImage(): Promise<string> {
  const name = await imageOf("baked");
  const there = await podman("image", "exists", name).then(
    () => true,
    () => false,
  );
  if (there) return name;
  const copying = spawn("bash", ["-c", 'set -o pipefail; docker save "$1" | podman load --quiet', "bash", name]);
  const [code] = await once(copying, "exit");
  expect(code).toBe(0);
  return name;
}

/** What a program may not have more of than its parent, and a runtime that takes every kind of cgroups. */
const CONF = `[containers]
default_ulimits = ["nofile=1024:4096", "nproc=1024:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
`;

/** Apart from what else this computer has of Podman. */
const STORAGE = `[storage]
driver = "overlay"
graphroot = "${join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "skyward-test/podman")}"
runroot = "/run/skyward-test-podman"
`;

const limits = sky.fn(async () => {
  const { readFileSync } = await import("node:fs");
  const read = (name: string): number => Number(readFileSync(`/sys/fs/cgroup/${name}`, "utf8"));
  return [read("memory/memory.limit_in_bytes") / 2 ** 30, read("cpu/cpu.cfs_quota_us") / read("cpu/cpu.cfs_period_us")];
});

describe("sky.container with Podman", () => {
  let provider: sky.CloudProvider;
  let image = "";

  beforeAll(async () => {
    writeFileSync(join(dir, "containers.conf"), CONF);
    process.env["CONTAINERS_CONF"] = join(dir, "containers.conf");
    writeFileSync(join(dir, "storage.conf"), STORAGE);
    process.env["CONTAINERS_STORAGE_CONF"] = join(dir, "storage.conf");
    process.env["XDG_STATE_HOME"] = dir;
    image = await bakedImage();
    provider = sky.container({ image, binary: "podman", vcpus: 0.5, memoryGb: 0.5 });
  }, 120_000);
  afterAll(async () => {
    await removeImages("podman", await savedImages("podman", signal()), signal());
    rmSync(dir, { recursive: true, force: true });
  });

  it("gives nodes what was asked for, saves the first, and ends them at once", async () => {
    const owner = await ownerId(join(dir, "skyward"));
    const use = (): Promise<unknown> =>
      sky.compute({ name: "pod", provider, nodes: 2, console: "silent" }, async (pool) => {
        const machines = await provider.list(owner, signal());
        expect(machines.map(({ tags, state }) => [tags.pool, state])).toEqual(Array(2).fill(["pod", "running"]));
        const left = await provider.leaseLeft!(machines[0]!.id, signal());
        expect(left).toBeGreaterThan(0);
        expect(left).toBeLessThanOrEqual(601);
        expect(await pool.broadcast(limits())).toEqual(Array(2).fill([0.5, 0.5]));
        const closing = performance.now();
        await pool.close();
        return performance.now() - closing;
      });
    // Ten seconds pass where an engine waits for a shell to obey it.
    expect(await use()).toBeLessThan(9000);
    expect(await provider.list(owner, signal())).toEqual([]);
    const [saved] = (await savedImages("podman", signal())).filter(({ name }) => !name.includes(":ssh-"));
    expect(saved?.name).toMatch(/^localhost\/skyward:[0-9a-f]{16}$/);
    expect(await podman("image", "inspect", "--format", "{{json .Config}}", saved!.name)).not.toMatch(/PRIVATE KEY/);
    await use();
    await using me = new Someone();
    const cleaned = await me.sky("container", "clean", "--binary", "podman");
    expect(cleaned).toEqual({ code: 0, stdout: "Removed 2 of 2 images.\n" });
    expect(await savedImages("podman", signal())).toEqual([]);
  });

  it("says what it refuses, and takes what is gone for gone", async () => {
    const open = async (options: sky.ContainerOptions): Promise<unknown> =>
      sky.compute({ provider: sky.container({ image, binary: "podman", ...options }), console: "silent" });
    await expect(open({ image: "localhost/no/such:image" })).rejects.toMatchObject({
      code: "SKY_PROVIDER_REFUSED",
      message: expect.stringMatching(/there is no image localhost\/no\/such:image/) as string,
    });
    await expect(open({ network: "no-such-network" })).rejects.toMatchObject({ code: "SKY_PROVIDER_REFUSED" });
    expect(await provider.describe("sky-never-was", signal())).toBeUndefined();
    await provider.terminate("sky-never-was", signal());
    expect(await provider.leaseLeft!("sky-never-was", signal())).toBeUndefined();
  });

  it("is swept", async () => {
    const owner = await ownerId(join(dir, "skyward"));
    const order = {
      pool: "lost",
      owner,
      authorizedKey: "ssh-ed25519 AAAA",
      environment: "none",
      tell: () => undefined,
    };
    const prepared = await provider.prepare(order, signal());
    const name = `sky-lost-${process.pid}`;
    const tags = { owner, controller: "1-1-lost", pool: "lost", intent: name, ttl: "2" };
    const hostKey = { privateKey: "none", publicKey: "none" };
    const offer = { id: "container", vcpus: 1, memoryGb: 1, price: 0 };
    const made = await provider.provision({ name, tags, offer, hostKey, ttlS: 60 }, prepared, signal());
    expect(await provider.provision({ name, tags, offer, hostKey, ttlS: 60 }, prepared, signal())).toEqual(made);
    const perhaps = [provider.reference];
    const look = (named: readonly string[], yes: boolean): ReturnType<typeof sweep> =>
      sweep({ dir: join(dir, "skyward"), restore, perhaps, named, yes, remove });
    expect(await look([], true)).toMatchObject({
      machines: [{ remove: false, reason: expect.stringMatching(/its own lease has \d+ s left/) as string }],
    });
    expect(await look([name], true)).toMatchObject({ machines: [{ removed: true }], unasked: [], unfound: [] });
    expect(await provider.list(owner, signal())).toEqual([]);
  });
});
