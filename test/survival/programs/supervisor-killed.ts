// `supervisor-killed.ts HOW`: supervisors die by kill -9 while their nodes are at work; the pool goes on with new ones.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import * as sky from "skyward";
import { leftFiles, leftProcesses } from "../../support/left-over.ts";

const how = process.argv[2] ?? "one";
const mark = process.env["SURVIVAL"]!;
const dir = process.env["TMPDIR"]!;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const place = sky.fn(() => {
  spawn("sleep", ["2001"], { stdio: "ignore", detached: true }).unref();
  spawn("sh", ["-c", "setsid -f sleep 2002"], { stdio: "ignore" });
  spawn("sleep", ["2003"], {
    stdio: "ignore",
    detached: true,
    env: {},
    argv0: `sleep-${process.env["SURVIVAL"]}`,
  }).unref();
  return { host: process.pid, supervisor: process.ppid };
});
const busy = sky.fn(() => {
  for (;;) Math.random();
});
const slow = sky.fn(async (n: number) => {
  await sleep(30);
  return { n, attempt: sky.task().attempt };
});
const children = (): string[] => leftProcesses(mark).filter((line) => /sleep(-\w+)? 200[123]/.test(line));

await sky.compute({ nodes: 2, worker: { concurrency: 4 }, console: "silent" }, async (pool) => {
  const places = await pool.broadcast(place());
  while (children().length < 6) await sleep(20);
  const lost: string[] = [];
  const replaced: number[] = [];
  void (async () => {
    for await (const event of pool.events) {
      if (event.type === "Node.Lost") lost.push(event.reason);
      if (event.type === "Node.Replaced") replaced.push(event.node);
    }
  })();
  // At most once: a busy loop whose node is gone ends with its loss.
  const loop = pool.run(busy.with({ rerun: "never" })(), { target: 1 });
  const looped = loop.then(
    () => "returned",
    (error: unknown) => (error instanceof sky.SkyError ? error.code : String(error)),
  );
  const work = pool.map(
    slow,
    Array.from({ length: 400 }, (_, n) => n),
  );
  const first = work[Symbol.asyncIterator]();
  await first.next();
  const victims = how === "both" ? places : places.slice(1);
  if (how === "stopped") for (const { host } of victims) process.kill(host, "SIGSTOP");
  const killed = performance.now();
  for (const { supervisor } of victims) process.kill(supervisor, "SIGKILL");
  const gone = how === "both" ? 0 : 3;
  const isVictim = (line: string): boolean =>
    victims.some(({ host, supervisor }) => line.startsWith(`${host} `) || line.startsWith(`${supervisor} `));
  // A host ends its children first and then itself.
  while (children().length > gone || leftProcesses(mark).some(isVictim)) {
    assert(performance.now() - killed < 2000, `left: ${leftProcesses(mark).join("; ")}`);
    await sleep(20);
  }
  say("ok the lost node's processes are gone");
  const results = await work;
  assert.deepEqual(
    results.map(({ n }) => n),
    Array.from({ length: 400 }, (_, n) => n),
  );
  assert(results.some(({ attempt }) => attempt > 1) && results.every(({ attempt }) => attempt <= 1 + victims.length));
  say("ok all tasks have ended, those of a lost node at another attempt");
  assert.equal(await looped, "SKY_TASK_LOST");
  say("ok a task that may run once is reported");
  while (pool.nodes < 2) await sleep(20);
  assert.equal(lost.length, victims.length);
  assert.equal(replaced.length, victims.length);
  const again = await pool.broadcast(place());
  for (const { host, supervisor } of victims)
    assert(!again.some((one) => one.host === host || one.supervisor === supervisor));
  say(`ok the node is replaced: ${lost[0]}`);
});
const left = [...leftProcesses(mark), ...leftFiles(dir)].filter((line) => !/esbuild .*--service/.test(line));
assert.deepEqual(left, []);
say("ok nothing is left");
say("done");
