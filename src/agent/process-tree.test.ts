import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { findTree, isAlive, killTree, RUN_MARKER, startTimeOf } from "./process-tree.ts";

describe("process trees", () => {
  it("know a process from a later one with the same number", async () => {
    const child = spawn("sleep", ["100"]);
    await once(child, "spawn");
    const identity = { pid: child.pid!, startTime: startTimeOf(child.pid!)! };
    expect(isAlive(identity)).toBe(true);
    expect(isAlive({ ...identity, startTime: "1" })).toBe(false);
    expect(findTree({ root: { ...identity, startTime: "1" } })).toEqual([]);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(isAlive(identity)).toBe(false);
  });

  it("reach what detached, by session, by parent and by the mark", async () => {
    const run = `/tmp/none-${process.pid}`;
    const spawned = (env: NodeJS.ProcessEnv) =>
      spawn("sh", ["-c", "setsid sleep 100 & setsid sleep 100 & sleep 100 & wait"], {
        detached: true,
        stdio: "ignore",
        env,
      });
    const marked = spawned({ ...process.env, [RUN_MARKER]: run });
    const plain = spawned(process.env);
    await Promise.all([once(marked, "spawn"), once(plain, "spawn")]);
    const root = { pid: plain.pid!, startTime: startTimeOf(plain.pid!)! };
    const trees = [{ run }, { root }, { below: plain.pid! }];
    const full = [4, 4, 3];
    while (!trees.every((tree, index) => findTree(tree).length === full[index])) await new Promise(setImmediate);
    // Two of the four left the session.
    expect(findTree({ session: root })).toHaveLength(4);
    await killTree({ run });
    expect(findTree({ run })).toEqual([]);
    expect(findTree({ root })).toHaveLength(4);
    await killTree({ session: root });
    expect(findTree({ root })).toEqual([]);
  });

  it("never contain the process that asks", () => {
    expect(findTree({ root: { pid: process.pid, startTime: startTimeOf(process.pid)! } })).not.toContain(process.pid);
    expect(findTree({ session: { pid: 0, startTime: "x" }, run: "" })).not.toContain(process.pid);
  });
});
