// `cuts.ts SEED [TASKS]`: links are cut at random moments; each task runs once, each result arrives once.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { appendFileSync, readFileSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import * as sky from "skyward";
import { leftFiles, leftProcesses } from "../../support/left-over.ts";
import { type Cuts, cutting } from "../cuts.ts";

const seed = Number(process.argv[2] ?? Date.now() % 1e9);
const total = Number(process.argv[3] ?? 10_000);
const ssh =
  process.env["SSH"] === undefined
    ? undefined
    : (JSON.parse(process.env["SSH"]) as { hosts: string[]; key: string; knownHosts: string; daemon: number });
const dir = process.env["TMPDIR"]!;
const log = `${dir}/ran`;
const say = (line: string): void => void process.stdout.write(`${line}\n`);
say(`seed ${seed}`);

const small = sky.fn(async (n: number) => {
  const { id, attempt } = sky.task();
  appendFileSync(log, `s${n} ${id} ${attempt}\n`);
  await sleep(n % 6);
  return -n;
});
const mapped = sky.fn((n: number) => {
  const { id, attempt } = sky.task();
  appendFileSync(log, `m${n} ${id} ${attempt}\n`);
  return { n, text: "x".repeat(n % 200) };
});
const large = sky.fn(async (n: number, bytes: Uint8Array) => {
  const { id, attempt } = sky.task();
  appendFileSync(log, `l${n} ${id} ${attempt}\n`);
  await sleep(1);
  return { n, got: createHash("sha256").update(bytes).digest("hex"), back: new Uint8Array(200_000).fill(n % 251) };
});

/** Kills the processes that carry our connections on the server, one at a time. */
function killSession(): void {
  const pids = readFileSync(`/proc/${ssh!.daemon}/task/${ssh!.daemon}/children`, "utf8")
    .trim()
    .split(" ")
    .filter(Boolean);
  const pid = Number(pids[Math.floor(pids.length / 2)]);
  if (pid > 1) process.kill(pid, "SIGKILL");
}

let killed = 0;
const inner = ssh === undefined ? sky.local() : sky.ssh({ hosts: ssh.hosts, key: ssh.key, knownHosts: ssh.knownHosts });
const cuts: Cuts = cutting(
  inner,
  ssh === undefined
    ? { seed, everyMs: 9, everyBytes: 100_000 }
    : { seed, everyMs: 60, everyBytes: 1_000_000, patient: true, other: () => ((killed += 1), killSession()) },
);

const lost: string[] = [];
const reconnects: number[] = [];
const recent: string[] = [];
await sky.compute(
  { nodes: 2, provider: cuts.provider, worker: { concurrency: 8 }, console: "silent" },
  async (pool) => {
    void (async () => {
      for await (const event of pool.events) {
        if (event.type === "Node.Lost" || event.type === "Node.HostReplaced") lost.push(JSON.stringify(event));
        if (event.type.startsWith("Node.")) recent.push(JSON.stringify(event));
        if (recent.length > 10) recent.shift();
        if (event.type === "Node.Reconnected") reconnects.push(event.elapsedMs);
      }
    })();
    await pool.broadcast(small(0));
    rmSync(log);
    const arrived = new Map<string, number>();
    cuts.start();
    setTimeout(() => {
      const { nodes, tasks } = pool.snapshot();
      say(
        `it hangs: ${arrived.size} results; ${JSON.stringify({ cuts: cuts.counts, opened: cuts.opened(), nodes, tasks, stats: pool.stats(), waits: pool.explain() })}`,
      );
      say(recent.join("\n"));
      const open = [...singles, ...bigs].filter((task) => task.status !== "done");
      say(open.map((task) => `${task.id} ${task.status} ${JSON.stringify(task.attempts)}`).join("\n"));
      process.exit(3);
    }, 45_000).unref();
    const bytes = Array.from({ length: 8 }, (_, n) => new Uint8Array(200_000).fill(n));
    const hashes = bytes.map((one) => createHash("sha256").update(one).digest("hex"));
    const larges = Math.ceil(total / 50);
    const smalls = Math.ceil(total * 0.4);
    const maps = total - larges - smalls;
    // From the task's side: how often each promise settles.
    const count = (key: string): void => void arrived.set(key, (arrived.get(key) ?? 0) + 1);
    const singles = Array.from({ length: smalls }, (_, n) => pool.run(small(n)));
    const bigs = Array.from({ length: larges }, (_, n) => pool.run(large(n, bytes[n % 8]!)));
    const settled = Promise.all([
      ...singles.map(async (task, n) => {
        assert.equal(await task, -n);
        count(`s${n}`);
      }),
      ...bigs.map(async (task, n) => {
        const { n: same, got, back } = await task;
        assert.equal(same, n);
        assert.equal(got, hashes[n % 8]);
        assert.equal(back.length, 200_000);
        assert(back.every((byte) => byte === n % 251));
        count(`l${n}`);
      }),
    ]);
    // What fails first is told, not what follows from it.
    settled.catch(() => undefined);
    const feed = async function* (): AsyncGenerator<number> {
      for (let n = 0; n < maps; n++) {
        if (n % 50 === 49) await sleep(4);
        yield n;
      }
    };
    for await (const { index, status, ...rest } of pool.map(mapped, feed()).settled({ ordered: false })) {
      assert.equal(status, "fulfilled", JSON.stringify(rest));
      assert("value" in rest);
      assert.deepEqual(rest.value, { n: index, text: "x".repeat(index % 200) });
      count(`m${index}`);
    }
    await settled;
    // Whatever has been cut so far, more work comes until it is enough.
    while (
      ssh === undefined
        ? Math.min(cuts.counts.data, cuts.counts.control) < 100
        : cuts.counts.data + cuts.counts.control < 100
    ) {
      const n = arrived.size;
      assert.equal(await pool.run(small(n)), -n);
      count(`s${n}`);
    }
    cuts.stop();
    const expected = arrived.size;
    assert(expected >= total, `${expected} results`);
    assert([...arrived.values()].every((times) => times === 1));
    say(`ok ${expected} results arrived once each`);
    const ran = readFileSync(log, "utf8").trim().split("\n");
    const keys = new Set(ran.map((line) => line.split(" ")[0]));
    const again = ran.filter((line) => !line.endsWith(" 1"));
    assert.deepEqual(again, [], `attempts beyond the first; lost: ${lost.join("\n")}`);
    assert.equal(ran.length, expected, "runs");
    assert.deepEqual(keys, new Set(arrived.keys()));
    assert(singles.every((task) => task.attempts.length === 1));
    say("ok each task ran once, at its first attempt");
    assert.deepEqual(lost, []);
    const worst = Math.max(...reconnects);
    say(
      `ok ${cuts.counts.data} data links and ${cuts.counts.control} control links were cut, ${killed} sessions killed; ${reconnects.length} reconnects, the slowest ${worst} ms`,
    );
    // Far below the 15 s after which a link that says nothing is given up. Over SSH one cut may meet the mending of another.
    assert(worst < (ssh === undefined ? 8000 : 30_000));
  },
);
rmSync(log);
const left = [...leftProcesses(process.env["SURVIVAL"]!, [process.ppid]), ...leftFiles(dir)].filter(
  (line) => !/esbuild .*--service|sshd/.test(line),
);
assert.deepEqual(left, []);
say("ok nothing is left");
say("done");
