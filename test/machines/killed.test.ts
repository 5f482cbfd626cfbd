import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { docker } from "../rig/docker.ts";
import type { Call } from "../../src/providers/conformance/disturbed.ts";
import { ends, Someone } from "./controller-process.ts";

const CALLS: readonly Call[] = ["prepare", "provision", "save", "terminate", "describe", "teardown"];
const POINTS = [...CALLS.flatMap((call) => [`before ${call}`, `after ${call}`]), "task"];

describe.concurrent("a controller that is killed", () => {
  it.for(POINTS)("%s: one sweep leaves nothing", async (point) => {
    await using me = new Someone();
    const controller = await me.controller({ KILL: point });
    expect(await controller.ended, controller.output).toEqual({ code: null, signal: "SIGKILL" });
    const left = await controller.machines();
    const seen = await me.sweep();
    expect(seen.machines.map(({ machine, remove, removed }) => [machine.name, remove, removed])).toEqual(
      left.map((name) => [name, true, false]),
    );
    expect(await controller.machines()).toEqual(left);
    await me.sweep(true);
    expect(await controller.machines()).toEqual([]);
    // Nobody knows what became of a machine that was asked for and never seen.
    expect(await me.ledger()).toHaveLength(point === "before provision" ? 1 : 0);
  });

  it.for(["after provision", "before terminate"])(
    "%s: without a sweep the lease leaves nothing",
    async (point, { expect }) => {
      await using me = new Someone();
      const controller = await me.controller({ KILL: point, TTL: "4s" });
      await controller.ended;
      const [name] = await controller.machines();
      await ends(name!);
      await expect.poll(() => controller.machines(), { timeout: 10_000 }).toEqual([]);
    },
  );
});

describe.concurrent("a controller that lives", () => {
  it("goes on while a sweep takes the machines of another one of its owner that was killed", async ({ expect }) => {
    await using me = new Someone();
    const [lives, dies] = await Promise.all([
      me.controller({ NAME: "lives", HOLD: "60000" }),
      me.controller({ NAME: "dies", HOLD: "60000" }),
    ]);
    await Promise.all([lives.says(/^working/m), dies.says(/^working/m)]);
    dies.signal("SIGKILL");
    await dies.ended;
    const swept = await me.sweep(true);
    const fates = Object.fromEntries(swept.machines.map(({ machine, removed }) => [machine.tags.pool, removed]));
    expect(fates).toEqual({ dies: true, lives: false });
    expect(await lives.machines()).toHaveLength(1);
    lives.signal("SIGINT");
    expect(await lives.ended, lives.output).toEqual({ code: null, signal: "SIGINT" });
    expect(lives.output).not.toMatch(/lost|cut/);
    expect(await lives.machines()).toEqual([]);
    expect(await me.ledger()).toEqual([]);
  });

  it("keeps its machines in a sweep, and other owners don't see them", async () => {
    await using me = new Someone();
    await using other = new Someone();
    const controller = await me.controller({ HOLD: "60000" });
    await controller.says(/working/);
    expect((await me.sweep(true)).machines).toMatchObject([
      { remove: false, reason: expect.stringMatching(/is alive/) as string },
    ]);
    expect((await other.sweep(true)).machines).toEqual([]);
    expect(await controller.machines()).toHaveLength(1);
    controller.signal("SIGKILL");
    await controller.ended;
    expect((await me.sweep(true)).machines).toMatchObject([{ remove: true, removed: true }]);
    expect(await controller.machines()).toEqual([]);
  });
});

describe("a second Ctrl-C", () => {
  it("ends the program at once; without a lease a sweep gets what is left, as the pool has said", async () => {
    await using me = new Someone();
    const controller = await me.controller({ HANG: "terminate", TTL: "0s", HOLD: "60000" });
    await controller.says(/have no lease \(ttl is 0\).* sky sweep --yes/);
    await controller.says(/working/);
    controller.signal("SIGINT");
    await controller.says(/hangs in terminate/);
    controller.signal("SIGINT");
    expect(await controller.ended, controller.output).toEqual({ code: null, signal: "SIGINT" });
    expect(await controller.machines()).toHaveLength(1);
    expect((await me.sweep(true)).machines).toMatchObject([{ removed: true }]);
    expect(await controller.machines()).toEqual([]);
  });
});

describe("a machine whose controller no ledger knows", () => {
  it("is asked for its own lease: it stays while that runs, and goes when it is over", async () => {
    await using me = new Someone();
    const controller = await me.controller({ KILL: "after provision" });
    await controller.ended;
    const [name = ""] = await controller.machines();
    rmSync(join(me.home, "skyward/ledger"), { recursive: true });
    const stays = /is not in this ledger, and its own lease has \d+ s left$/;
    expect((await me.sweep(true)).machines).toMatchObject([
      { remove: false, reason: expect.stringMatching(stays) as string },
    ]);
    // What would end it stands still.
    const pid = Number(await docker("inspect", "--format", "{{.State.Pid}}", name));
    process.kill(pid, "SIGSTOP");
    await docker("exec", name, "sh", "-c", "echo 1 >/run/skyward/lease");
    expect((await me.sweep(true)).machines).toMatchObject([
      { remove: true, removed: true, reason: expect.stringMatching(/its own lease is over$/) as string },
    ]);
    expect(await controller.machines()).toEqual([]);
  });
});

describe("sky sweep and sky ledger", () => {
  it("say what is left, why, and what to do; and do it when told to", async () => {
    await using me = new Someone();
    const controller = await me.controller({ KILL: "after provision", NAME: "nightly" });
    await controller.ended;
    const [name = ""] = await controller.machines();
    const ledger = await me.sky("ledger");
    expect(ledger.stdout).toMatch(new RegExp(`^container ${name} pool nightly, .*, which has ended$`, "m"));
    const shown = await me.sky("sweep");
    expect(shown.stdout).toMatch(
      new RegExp(`^left +container ${name}: its controller \\S+ has ended\n\nRemove it with: sky sweep --yes`),
    );
    expect(shown.code).toBe(1);
    const json = JSON.parse((await me.sky("sweep", "--json")).stdout) as object;
    expect(json).toMatchObject({
      machines: [{ name, pool: "nightly", verdict: "remove", removed: false }],
      unasked: [],
      unfound: [],
    });
    const other = await me.sky("sweep", "--name", "sky-no-such");
    expect(other).toMatchObject({ code: 1, stdout: expect.stringMatching(/^unknown {2}sky-no-such: /m) as string });
    const done = await me.sky("sweep", "--yes");
    expect(done).toEqual({ code: 0, stdout: expect.stringMatching(`^removed +container ${name}: `) as string });
    expect((await me.sky("sweep")).stdout).toBe("No machine is left.\n");
    expect((await me.sky("ledger")).stdout).toBe("No machine is on record.\n");
  });
});
