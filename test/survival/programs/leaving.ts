// How a pool is left: `leaving.ts WORK LEAVE`. Waits for a signal unless LEAVE says how to go by itself.
import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import * as sky from "skyward";
import { leftFiles, leftProcesses } from "../../support/left-over.ts";
import { wrapMachines } from "../../support/wrap-machines.ts";

const [work = "all", leave = "hold"] = process.argv.slice(2);
const mark = process.env["SURVIVAL"]!;
const dir = process.env["TMPDIR"]!;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** Children in every manner of detachment; returns the pid of the host. */
const children = sky.fn(async () => {
  spawn("sleep", ["1001"], { stdio: "ignore" }).unref();
  spawn("sleep", ["1002"], { stdio: "ignore", detached: true }).unref();
  // Not marked any more, but its parent lives.
  spawn("sleep", ["1003"], {
    stdio: "ignore",
    detached: true,
    env: {},
    argv0: `sleep-${process.env["SURVIVAL"]}`,
  }).unref();
  spawn("sh", ["-c", "sleep 1004 & sleep 1005 & exec sleep 1006"], { stdio: "inherit" }).unref();
  // Grandchildren in a session of their own, whose parent is gone.
  spawn("sh", ["-c", "setsid sh -c 'sleep 1007 & exec sleep 1008' & setsid -f sleep 1009; exit 0"], {
    stdio: "ignore",
  });
  await sleep(100);
  return process.pid;
});
const forever = sky.fn(() => new Promise<never>(() => {}));
const busy = sky.fn(() => {
  for (;;) Math.random();
});
const nothing = sky.fn((n: number) => n);

/** Says when the n-th machine is told to start, or has started. */
function watched(inner: sky.Provider, told: (what: string) => void): sky.Provider {
  return wrapMachines(inner, (machine) => ({
    start: async (config, startSignal) => {
      const started = machine.start(config, startSignal);
      told("starting");
      await started;
      told("started");
    },
  }));
}

/** The program's own helper, which lives as long as the program. */
const isOwn = (line: string): boolean => /esbuild .*--service/.test(line);

/** Ends the process as LEAVE says, or not. */
function go(): void {
  if (leave === "exit") process.exit(7);
  if (leave === "throw") throw new Error("out of here");
}

if (leave === "own-handler") {
  process.on("SIGINT", () => {
    say("own handler");
    process.exitCode = 9;
  });
}

async function starting(): Promise<void> {
  let told = 0;
  const when = work === "spawning" ? "starting" : "started";
  const controller = new AbortController();
  const provider = watched(sky.local(), (what) => {
    if (what !== when || ++told > 1) return;
    say("ready");
    if (leave === "abort") controller.abort(new Error("out of here"));
    else go();
  });
  await sky.compute({ nodes: 3, provider, console: "silent", signal: controller.signal }, () => new Promise(() => {}));
}

async function all(pool: sky.Pool): Promise<void> {
  const pids = await pool.broadcast(children());
  say(`hosts ${pids.join(" ")}`);
  const tasks = [];
  if (work === "all") tasks.push(pool.run(busy()), pool.run(forever()), pool.run(forever()), pool.run(busy()));
  const queued = pool.map(
    nothing,
    Array.from({ length: 2000 }, (_, n) => n),
  );
  tasks.push(...Array.from({ length: 20 }, () => pool.run(forever())));
  void Promise.allSettled([...tasks, queued]).then((ends) => {
    const codes = new Set(ends.map((end) => (end.status === "rejected" ? (end.reason as sky.SkyError).code : "done")));
    say(`tasks ${[...codes].join(" ")}`);
  });
  await sleep(300);
  say(`ready ${leftProcesses(mark).length}`);
  go();
  if (leave !== "scope") await new Promise(() => {});
}

try {
  if (work === "spawning" || work === "starting") await starting();
  else await sky.compute({ nodes: 2, worker: { concurrency: 2 }, console: "silent" }, all);
} catch (error) {
  say(`threw ${(error as Error).message}`);
} finally {
  // At the end of the scope, not some time later.
  const left = [...leftProcesses(mark), ...leftFiles(dir)].filter((one) => !isOwn(one));
  say(left.length === 0 ? "ok nothing is left" : `LEFT ${left.join("; ")}`);
}
