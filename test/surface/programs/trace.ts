// pool.trace: a file that a viewer of Chrome traces opens. `trace.ts DIR`
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as sky from "skyward";
import { failure, holds, point } from "../../support/point.ts";

const dir = process.argv[2]!;

interface Entry {
  ph: string;
  name: string;
  cat?: string;
  ts: number;
  dur: number;
  pid: number;
  tid: number;
  s?: string;
  args: Record<string, unknown>;
}

/** Checked against the Trace Event Format: which fields an entry of each phase must have, and of what kind. */
function read(file: string): Entry[] {
  const entries = JSON.parse(readFileSync(file, "utf8")) as Entry[];
  assert(Array.isArray(entries));
  const whole = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
  for (const entry of entries) {
    const said = JSON.stringify(entry);
    holds(typeof entry.name === "string" && whole(entry.pid) && whole(entry.tid), said);
    // 0 stands for an idle processor.
    holds(entry.pid > 0 && entry.tid > 0 && typeof entry.args === "object", said);
    if (entry.ph === "M") {
      if (entry.name.endsWith("_name")) holds(typeof entry.args["name"] === "string", said);
      else holds(entry.name.endsWith("_sort_index") && whole(entry.args["sort_index"]), said);
      continue;
    }
    holds(whole(entry.ts), said);
    if (entry.ph === "X") holds(whole(entry.dur) && typeof entry.cat === "string", said);
    else if (entry.ph === "i") holds(["t", "p", "g"].includes(entry.s!), said);
    else if (entry.ph === "C") holds(Object.values(entry.args).every(whole), said);
    else assert.fail(said);
  }
  // On a row spans follow each other: half of one over another can't be drawn.
  for (const row of rows(entries)) {
    row.sort((a, b) => a.ts - b.ts);
    for (const [at, one] of row.entries()) {
      const next = row[at + 1];
      holds(!next || one.ts + one.dur <= next.ts, `${JSON.stringify(one)}\n${JSON.stringify(next)}`);
    }
  }
  return entries;
}
const spansOf = (entries: Entry[]): Entry[] => entries.filter(({ ph }) => ph === "X");
const rowOf = ({ pid, tid }: Entry): string => `${pid} ${tid}`;
function rows(entries: Entry[]): Entry[][] {
  const out = new Map<string, Entry[]>();
  for (const one of spansOf(entries)) out.set(rowOf(one), [...(out.get(rowOf(one)) ?? []), one]);
  return [...out.values()];
}

const nap = sky.fn(async (ms: number) => {
  await sleep(ms);
  return ms;
});
const shaky = sky.fn(async () => {
  await sleep(10);
  if (sky.task().attempt === 1) throw new Error("not yet");
});
const fails = sky.fn(() => {
  throw new RangeError("never");
});
const echo = sky.fn((bytes: Uint8Array) => bytes);

const whole = join(dir, "whole.json");
const part = join(dir, "part.json");
await sky.compute({ name: "traced", nodes: 2, worker: { concurrency: 3 }, console: "silent" }, async (pool) => {
  await pool.map(nap, [1, 1]);
  pool.trace(whole);
  await pool.map(
    nap,
    Array.from({ length: 60 }, (_, n) => 5 + (n % 7)),
  );
  await pool.run(shaky().with({ retry: 1 }));
  await failure(pool.run(fails()));
  await pool.run(echo(new Uint8Array(3_000_000)));
  {
    await using trace = pool.trace(part);
    await pool.map(nap, [20, 20]);
    assert.equal(trace.file, part);
  }
  const held = pool.run(nap(60_000));
  await sleep(30);
  held.cancel();
  await failure(held);
  await point("what can't be written is refused at once", async () => {
    for (const file of [join(dir, "none/x.json"), "", 5 as never]) {
      const error = await failure(async () => pool.trace(file));
      assert.equal((error as sky.SkyError).code, "SKY_BAD_OPTION");
    }
  });
});

const entries = read(whole);
const named = (kind: string): Map<string, string> =>
  new Map(
    entries
      .filter(({ name }) => name === kind)
      .map((one) => [kind === "process_name" ? `${one.pid}` : rowOf(one), one.args["name"] as string]),
  );

await point("a process for the pool and each node, a row for each slot", () => {
  assert.deepEqual([...named("process_name").values()].sort(), ["node 0 (local-0)", "node 1 (local-1)", "pool traced"]);
  const threads = named("thread_name");
  for (const span of spansOf(entries)) holds(threads.has(rowOf(span)), JSON.stringify(span));
  const slots = [...threads].filter(([, name]) => name.startsWith("slot"));
  for (const pid of ["2", "3"]) {
    const own = slots.filter(([row]) => row.startsWith(`${pid} `)).map(([, name]) => name);
    holds(own.length >= 1 && own.length <= 4 && own.includes("slot 0"), own.join());
  }
});

await point("tasks from the call on, with what they took, waited and came to", () => {
  const tasks = entries.filter(({ cat }) => cat === "task");
  const naps = tasks.filter(({ name }) => name === "nap");
  assert.equal(naps.length, 62);
  for (const { dur, args } of naps) {
    holds(dur >= 4000 && dur < 2_000_000, `${dur}`);
    holds((args["queuedMs"] as number) >= 0 && (args["sentMs"] as number) >= 0 && args["outcome"] === "done");
  }
  const [first, second] = tasks.filter(({ name }) => name === "shaky");
  assert.deepEqual([first!.args["attempt"], first!.args["outcome"]], [1, "retried"]);
  assert.match(first!.args["reason"] as string, /not yet/);
  assert.deepEqual([second!.args["attempt"], second!.args["outcome"]], [2, "done"]);
  holds(first!.ts + first!.dur <= second!.ts);
  const [failed] = tasks.filter(({ name }) => name === "fails");
  assert.equal(failed!.args["error"], "RangeError: never");
  holds(entries.some(({ ph, name }) => ph === "i" && name === "nap cancelled"));
});

await point("steps of the nodes from the very first, transfers, counts", () => {
  for (const pid of [2, 3]) {
    const life = spansOf(entries).filter((one) => one.pid === pid && one.cat === "node");
    assert.equal(life[0]!.name, "provision");
    holds(life.some(({ name }) => name === "agent") && life.some(({ name }) => name === "ready"));
  }
  const sent = entries.filter(({ cat }) => cat === "transfer").map(({ name }) => name);
  assert.deepEqual(sent.sort(), ["receive 3.0 MB", "send 3.0 MB"]);
  holds(entries.some(({ ph, args }) => ph === "C" && "queued" in args && "running" in args));
});

await point("a trace that is stopped ends there", () => {
  const tasks = read(part).filter(({ cat }) => cat === "task");
  assert.deepEqual(
    tasks.map(({ name }) => name),
    ["nap", "nap"],
  );
});
