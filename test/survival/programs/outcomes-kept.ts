// The data link is away; tasks end; their host is killed; the link comes back: what they gave is there, from one run each.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as sky from "skyward";
import { heldLinks } from "../../support/held-links.ts";

const MB = 1024 * 1024;
const dir = process.env["TMPDIR"]!;
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const go = join(dir, "go");
const until = async (done: () => boolean): Promise<void> => {
  while (!done()) await sleep(10);
};
/** What lies in the folders of outcomes, by the ends of their paths. */
const onDisk = (): string[] =>
  readdirSync(dir, { recursive: true })
    .map(String)
    .filter((path) => /outcomes\/[^/]+\/[^/]+$/.test(path) && !path.endsWith(".part"));

const wait = async (): Promise<void> => {
  sky.task().progress(0);
  while (!existsSync(go)) await new Promise((resolve) => setTimeout(resolve, 5));
};
const give = sky.fn(async (size: number) => {
  await wait();
  const { attempt } = sky.task();
  return size === 0 ? attempt : { attempt, bytes: new Uint8Array(size).fill(attempt + 6) };
});
const fail = sky.fn(async () => {
  await wait();
  throw new RangeError(`at ${sky.task().attempt}`);
});
const text = sky.fn(async (size: number) => {
  await wait();
  return `${sky.task().attempt}`.repeat(size);
});
const stay = sky.fn(async () => {
  sky.task().progress(0);
  if (sky.task().attempt === 1) await new Promise<never>(() => {});
  return "again";
});
const pid = sky.fn(() => process.pid);

const links = heldLinks(sky.local());
await sky.compute({ provider: links.provider, worker: { concurrency: 8 }, console: "silent" }, async (pool) => {
  const host = await pool.run(pid());
  let began = 0;
  void (async () => {
    for await (const event of pool.events) if (event.type === "Task.Progress") began++;
  })();
  const once = { rerun: "never" } as const;
  const small = pool.run(give(0).with(once));
  const bytes = pool.run(give(5 * MB).with(once));
  const channel = pool.run(text(200_000).with(once));
  const thrown = pool.run(fail().with(once));
  const stuck = pool.run(stay());
  await until(() => began === 5);
  links.hold();
  writeFileSync(go, "");
  // Two large ones have a file each, the others share one.
  await until(() => onDisk().length === 3);
  const own = join(
    dir,
    onDisk().find((path) => path.endsWith("small"))!,
  );
  await until(() => statSync(own).size > 0 && readFileSync(own).includes("at 1"));
  assert.equal(statSync(own).mode & 0o777, 0o600);
  say("ok what ends while the link is away lies on disk");
  process.kill(host, "SIGKILL");
  await until(() => !existsSync(`/proc/${host}`));
  links.release();
  assert.equal(await small, 1);
  const value = (await bytes) as { attempt: number; bytes: Uint8Array };
  assert.equal(value.attempt, 1);
  assert.equal(value.bytes.length, 5 * MB);
  assert(value.bytes.every((byte) => byte === 7));
  assert.equal(await channel, "1".repeat(200_000));
  const error = await thrown.then(
    () => assert.fail("it threw"),
    (reason: unknown) => reason,
  );
  assert(error instanceof RangeError && error.message === "at 1");
  for (const task of [small, bytes, channel, thrown]) assert.equal(task.attempts.length, 1);
  say("ok the death of the host loses none of them");
  assert.equal(await stuck, "again");
  assert.deepEqual(
    stuck.attempts.map(({ cause }) => cause),
    ["hostRestarted", undefined],
  );
  say("ok what had not ended runs again");
  await until(() => onDisk().length === 0);
  say("ok nothing stays on disk");

  // The same with a host that lives: what was moved to disk leaves from there.
  const next = await pool.run(pid());
  rmSync(go);
  began = 0;
  const again = [pool.run(give(5 * MB).with(once)), pool.run(give(3 * MB).with(once))];
  await until(() => began === 2);
  links.hold();
  writeFileSync(go, "");
  await until(() => onDisk().filter((path) => !path.endsWith("small")).length === 2);
  links.release();
  const sizes = (await Promise.all(again)).map((one) => (one as { bytes: Uint8Array }).bytes.length);
  assert.deepEqual(sizes, [5 * MB, 3 * MB]);
  await until(() => onDisk().length === 0);
  assert.equal(await pool.run(pid()), next);
  rmSync(go);
  say("ok and comes from there when the link is back");
});
say("done");
