import { expect, test } from "vitest";
import * as sky from "skyward";
import { Rig } from "../rig/rig.ts";

/** The way to the machine and back. */
const ROUND_TRIP_MS = 50;
/** How long after a process has died, and the way its news takes, its task is told of it. */
const TOLD_MS = 200;
/** What a busy computer may add to that; a quiet one adds nothing. */
const BUSY_MS = 800;
const DEATHS = 2;

const die = sky.fn(
  async (who: "itself" | "its parent") => {
    process.kill(who === "itself" ? process.pid : process.ppid, "SIGKILL");
    await new Promise(() => {});
  },
  { rerun: "never" },
);
const nothing = sky.fn(() => {});

/** The best of some deaths: what else this computer does may slow one. The way there and back is in it. */
async function told(pool: sky.Pool, who: "itself" | "its parent"): Promise<{ ms: number; words: string }> {
  const times: number[] = [];
  let words = "";
  for (let death = 0; death < DEATHS; death++) {
    // The code is there, and there is somebody to die.
    await pool.run(nothing());
    const began = performance.now();
    const error = await pool.run(die(who)).then(
      () => undefined,
      (failure: unknown) => failure as sky.SkyError,
    );
    times.push(performance.now() - began);
    expect(error).toMatchObject({ code: "SKY_TASK_LOST" });
    words = error!.message;
  }
  return { ms: Math.min(...times), words };
}

test.each([
  ["a host process", "thread", "itself", /the process that ran it ended \(SIGKILL\)/],
  ["an executor process", "process", "itself", /its process was ended by SIGKILL/],
  ["a supervisor", "thread", "its parent", /node 0 is gone: .*\b(its|the) agent has ended/],
  ["a supervisor, by a machine that opens no sockets,", "thread", "its parent", /node 0 is gone: its agent has ended/],
] as const)("the death of %s is told within 0.2 s and a round trip", async (name, executor, who, words) => {
  await using rig = await Rig.start();
  if (name.includes("no sockets")) {
    const config = "echo AllowStreamLocalForwarding no >/etc/ssh/sshd_config.d/no.conf";
    await rig.machines[0]!.exec("sh", "-c", config);
    await rig.machines[0]!.killSshd();
  }
  await rig.machines[0]!.weather({ delayMs: ROUND_TRIP_MS / 2 });
  const options = { provider: sky.ssh(rig.ssh), worker: { executor }, console: "silent" as const };
  const found = await sky.compute(options, (pool) => told(pool, who));
  expect(found.words).toMatch(words);
  expect(found.ms).toBeLessThan(TOLD_MS + ROUND_TRIP_MS + BUSY_MS);
});
