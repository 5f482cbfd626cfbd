// A task prints more than a node keeps while its data link is away; then the link comes back.
import assert from "node:assert/strict";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import * as sky from "skyward";
import { heldLinks } from "../../support/held-links.ts";

const LINES = 150_000;
const dir = process.env["TMPDIR"]!;
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const chatty = sky.fn(async () => {
  sky.task().progress(0);
  while (!existsSync(`${dir}/print`)) await sleep(5);
  for (let n = 0; n < LINES; n++) console.log(`${n} ${"x".repeat(90)}`);
  writeFileSync(`${dir}/printed`, "");
  return "done";
});

const links = heldLinks(sky.local());

await sky.compute({ nodes: 1, provider: links.provider, console: "silent" }, async (pool) => {
  const printed: number[] = [];
  let told = "";
  let running = (): void => {};
  const runs = new Promise<void>((resolve) => (running = resolve));
  let ended = (): void => {};
  const last = new Promise<void>((resolve) => (ended = resolve));
  void (async () => {
    for await (const event of pool.events) {
      if (event.type === "Task.Progress") running();
      if (event.type !== "Log.Emitted") continue;
      if (event.message === "last") ended();
      else if (/dropped/.test(event.message)) told = event.message;
      else printed.push(Number.parseInt(event.message, 10));
    }
  })();
  const task = pool.run(chatty());
  await runs;
  links.hold();
  // The node is behind two sockets: nothing tells here that it has noticed.
  await sleep(300);
  writeFileSync(`${dir}/print`, "");
  while (!existsSync(`${dir}/printed`)) await sleep(20);
  await sleep(500);
  links.release();
  assert.equal(await task, "done");
  await pool.run(sky.fn(() => console.log("last"))());
  await last;
  const dropped = Number(/^(\d+) lines were dropped/.exec(told)?.[1]);
  assert(dropped > 10_000, `${told} (${printed.length} came)`);
  say(`ok ${dropped} of ${LINES} lines were dropped, and told`);
  // The reader of events here is bounded too, so that of the lines that came some may not be seen; never one twice.
  assert(printed.length + dropped <= LINES && printed.length > 0);
  assert(printed.every((n, at) => at === 0 || n > printed[at - 1]!));
  say("ok the others came once, in order");
});
for (const name of ["print", "printed"]) rmSync(`${dir}/${name}`);
say("done");
