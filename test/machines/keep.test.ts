import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import * as sky from "skyward";
import { docker } from "../rig/docker.ts";
import { Rig } from "../rig/rig.ts";
import { type Controller, ends, Someone } from "./controller-process.ts";

interface Place {
  readonly host: string;
  /** Pid of the agent that its task's process belongs to. */
  readonly supervisor: number;
  /** How often a task of this run's code, or of an earlier run's, has been in this thread. */
  readonly seen: number;
  readonly spice: string;
}

/** Waits for the end of a run of test/machines/programs/keeping.ts. */
async function placesOf(run: Controller): Promise<readonly Place[]> {
  expect(await run.ended, run.output).toEqual({ code: 0, signal: null });
  return JSON.parse(/^places (.*)$/m.exec(run.output)![1]!) as Place[];
}

const readyMs = (run: Controller): number => Number(/^ready (\d+) ms$/m.exec(run.output)![1]);

describe("a pool with keep", () => {
  it("leaves its machines and agents to the next run of its name, which is ready at once", async () => {
    await using me = new Someone();
    const keeping = (env: Readonly<Record<string, string>>): Promise<Controller> => me.controller(env, "keeping");
    const first = await placesOf(await keeping({ NODES: "2", KEEP: "60s" }));
    const next = await keeping({ NODES: "2" });
    const places = await placesOf(next);
    expect(places.map(({ host, supervisor }) => [host, supervisor])).toEqual(
      first.map(({ host, supervisor }) => [host, supervisor]),
    );
    // Nothing of the first program is in the processes that run the second one.
    expect(places.map(({ seen }) => seen)).toEqual([1, 1]);
    expect(next.output).toMatch(/node 1 +adopted sky-\S+, kept since/);
    // Under a quarter of a second each way on a quiet machine; others use this one too.
    expect(readyMs(next)).toBeLessThan(3000);
    // The second run did not ask for it, so nothing is left.
    expect(await next.machines()).toEqual([]);
    expect(await me.ledger()).toEqual([]);
    expect(readdirSync(join(me.home, "skyward/kept"))).toEqual([]);
  });
});

describe.concurrent("what a pool has kept", () => {
  it("is listed, stays in a sweep until its time, and then ends by itself", async ({ expect }) => {
    await using me = new Someone();
    const run = await me.controller({ KEEP: "12s" }, "keeping");
    const [{ host } = { host: "" }] = await placesOf(run);
    expect((await me.sweep(true)).machines).toMatchObject([
      { remove: false, reason: expect.stringMatching(/kept for the next run of pool kept until/) as string },
    ]);
    const [nodes, ledger] = await Promise.all([me.sky("nodes", "kept"), me.sky("ledger")]);
    expect(nodes.stdout).toMatch(new RegExp(`^kept +kept for the next run until .*\n +node 0 +${host}$`, "m"));
    expect(ledger.stdout).toMatch(new RegExp(`^container ${host} pool kept, .*, kept for the next run until`, "m"));
    const folder = join(me.home, "skyward/kept");
    const files = readdirSync(folder).map((name) => join(folder, name));
    expect(files.map((file) => statSync(file).mode & 0o777)).toEqual([0o600]);
    expect(nodes.stdout + ledger.stdout + readFileSync(files[0]!, "utf8").slice(0, 40)).not.toMatch(/PRIVATE KEY/);
    await ends(host);
    await expect.poll(() => run.machines(), { timeout: 10_000 }).toEqual([]);
    await me.sweep(true);
    expect(await me.ledger()).toEqual([]);
  });

  it("goes to one of two runs that want it; the other one makes its own", async ({ expect }) => {
    await using me = new Someone();
    const [first] = await placesOf(await me.controller({ KEEP: "60s" }, "keeping"));
    const runs = await Promise.all([1, 2].map(() => me.controller({ HOLD: "3000" }, "keeping")));
    const hosts = (await Promise.all(runs.map(placesOf))).map(([place]) => place!.host);
    expect(new Set(hosts).size).toBe(2);
    expect(hosts).toContain(first!.host);
    expect(await runs[0]!.machines()).toEqual([]);
  });

  it("is not shared with a program that still has it open", async ({ expect }) => {
    await using me = new Someone();
    const open = await me.controller({ KEEP: "60s", HOLD: "60000" }, "keeping");
    await open.says(/^places/m);
    const other = await me.controller({}, "keeping");
    const [place] = await placesOf(other);
    expect(open.output).not.toContain(place!.host);
    expect(await other.machines()).toHaveLength(1);
  });

  it("survives a dead machine and a smaller past: what is missing is made, and why is said", async ({ expect }) => {
    await using me = new Someone();
    const [first, second] = await placesOf(await me.controller({ NODES: "2", KEEP: "60s" }, "keeping"));
    await docker("rm", "--force", first!.host);
    const next = await me.controller({ NODES: "3" }, "keeping");
    const hosts = (await placesOf(next)).map(({ host }) => host);
    expect(hosts[1]).toBe(second!.host);
    expect(new Set([...hosts, first!.host]).size).toBe(4);
    expect(next.output).toMatch(new RegExp(`can't go on with ${first!.host}, which was kept`));
    expect(await next.machines()).toEqual([]);
    await me.sweep(true);
    expect(await me.ledger()).toEqual([]);
  });

  it("is left alone by a run whose image is another, and has a new agent where only options differ", async ({
    expect,
  }) => {
    await using me = new Someone();
    const [first] = await placesOf(await me.controller({ KEEP: "60s" }, "keeping"));
    const other = await me.controller({ STEP: "echo other" }, "keeping");
    expect((await placesOf(other))[0]!.host).not.toBe(first!.host);
    expect(other.output).toMatch(/kept for "kept" are not taken up: the image is another/);
    const spiced = await me.controller({ SPICE: "salt" }, "keeping");
    expect(await placesOf(spiced)).toMatchObject([{ host: first!.host, spice: "salt" }]);
  });

  it("belongs to a run that took it up: killed, its machines are swept, or end with the lease", async ({ expect }) => {
    await using me = new Someone();
    const [first] = await placesOf(await me.controller({ KEEP: "60s", TTL: "4s" }, "keeping"));
    const killed = await me.controller({ KEEP: "60s", TTL: "4s", HOLD: "60000" }, "keeping");
    await killed.says(/^places/m);
    expect((await me.sweep()).machines).toMatchObject([
      { remove: false, reason: expect.stringMatching(/is alive/) as string },
    ]);
    killed.signal("SIGKILL");
    await killed.ended;
    expect((await me.sweep()).machines).toMatchObject([{ remove: true }]);
    await ends(first!.host);
    await expect.poll(() => killed.machines(), { timeout: 10_000 }).toEqual([]);
  });
});

describe("agents that are kept on machines of somebody else", () => {
  it("serve the next run, and end by themselves when it does not come", async () => {
    await using rig = await Rig.start({ machines: 2 });
    await using me = new Someone();
    const { hosts, key, knownHosts } = rig.ssh;
    const by = { HOSTS: hosts.join(","), KEY: key, KNOWN_HOSTS: knownHosts, NODES: "2", IMAGE: "" };
    const first = await placesOf(await me.controller({ ...by, KEEP: "60s" }, "keeping"));
    const next = await me.controller({ ...by, KEEP: "4s" }, "keeping");
    const places = await placesOf(next);
    expect(places.map(({ host, supervisor }) => [host, supervisor])).toEqual(
      first.map(({ host, supervisor }) => [host, supervisor]),
    );
    for (const machine of rig.machines) {
      await expect.poll(() => machine.exec("ps", "-eo", "args"), { timeout: 15_000 }).not.toMatch(/agent|node/);
      expect(await machine.exec("ls", "/tmp")).not.toMatch(/sky-/);
    }
  });
});

describe("keep", () => {
  it("is refused where machines end with the program, before anything is made", async () => {
    await expect(sky.compute({ keep: "10m" })).rejects.toMatchObject({
      code: "SKY_BAD_OPTION",
      message: expect.stringMatching(/keep needs machines that outlive the program; those of local don't/) as string,
    });
    await expect(sky.compute({ keep: "10" })).rejects.toMatchObject({ code: "SKY_BAD_DURATION" });
  });
});
