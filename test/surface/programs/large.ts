// Large values: arguments, results, what a call's items have in common, pool.put, eviction.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import * as sky from "skyward";
import { event, failure, holds, point } from "../../support/point.ts";

const MB = 1024 * 1024;

const digest = sky.fn((bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex"));
const echo = sky.fn(<T>(value: T) => value);
const last = sky.fn((n: number, values: Float64Array) => [n, values.length, values.at(-1)]);
const spoil = sky.fn((values: Float64Array) => {
  const before = values[0];
  values.fill(-1);
  return before;
});
const spoilFirst = sky.fn((one: Float64Array, other: Float64Array) => {
  one.fill(-1);
  return [one[0], other[0]];
});
const hash = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const noise = (bytes: number): Uint8Array => {
  const out = new Uint8Array(bytes);
  for (let i = 0, x = 1; i < bytes; i++) out[i] = (x = Math.imul(x, 1103515245) + 12345) >>> 24;
  return out;
};

/** Bytes to all nodes, in MB, while this runs. */
async function sent(pool: sky.Pool, run: () => unknown): Promise<number> {
  const sum = (): number => pool.stats().reduce((all, node) => all + node.bytesSent, 0);
  const before = sum();
  await run();
  return (sum() - before) / MB;
}

function near(value: number, expected: number): void {
  holds(Math.abs(value - expected) < 0.3 + expected * 0.01, `${value} MB and not ${expected}`);
}

await sky.compute({ nodes: 4, console: "silent" }, async (pool) => {
  await pool.broadcast(digest(new Uint8Array(1)));

  await point("large arguments and results come back whole", async () => {
    const bytes = noise(9 * MB + 7);
    assert.equal(await pool.run(digest(bytes)), hash(bytes));
    const value = {
      bytes,
      text: "ä".repeat(2 * MB),
      list: Array.from({ length: 300_000 }, (_, i) => i / 3),
      both: [bytes, new Float64Array(bytes.buffer, 0, 1000)],
      shared: new Uint8Array(new SharedArrayBuffer(2 * MB)).fill(7),
      buffer: Buffer.from(noise(2 * MB)),
    };
    const back = await pool.run(echo(value));
    assert.equal(hash(back.bytes), hash(bytes));
    holds(back.bytes === back.both[0] && back.both[1]!.buffer === back.bytes.buffer);
    holds(back.shared.buffer instanceof SharedArrayBuffer && back.shared[2 * MB - 1] === 7);
    holds(Buffer.isBuffer(back.buffer) && back.buffer.equals(value.buffer));
    holds(back.text === value.text && back.list.length === 300_000 && back.list[7] === 7 / 3);
  });

  await point("an argument is taken as it was when the call was made", async () => {
    const values = new Float64Array(MB).fill(1);
    const task = pool.run(last(1, values));
    values.fill(2);
    assert.deepEqual(await task, [1, MB, 1]);
  });

  await point("what a result was made from stays the node's", async () => {
    const keep = sky.fn(() => {
      const own = globalThis as { kept?: Float64Array };
      own.kept ??= new Float64Array(MB).fill(5);
      return own.kept;
    });
    for (let i = 0; i < 2; i++) {
      const [value] = await pool.run(sky.gather([keep()]), { target: 0 });
      assert.deepEqual([value!.length, value![9]], [MB, 5]);
    }
  });

  await point("an object that many items have is sent to each node once", async () => {
    const data = new Float64Array(MB / 4).fill(4);
    const mapped = sky.fn(([n, values]: readonly [number, Float64Array]) => n + values[0]!);
    const items = Array.from({ length: 40 }, (_, n) => [n, data] as const);
    near(await sent(pool, async () => assert.equal((await pool.map(mapped, items))[39], 43)), 8);
    near(await sent(pool, () => pool.starmap(last, items)), 8);
    near(await sent(pool, () => pool.run(sky.gather(items.map(([n]) => last(n, data))))), 8);
    const named = sky.fn(({ n, rows }: { n: number; rows: { id: number }[] }) => n + rows.at(-1)!.id);
    const rows = Array.from({ length: 50_000 }, (_, id) => ({ id, name: `row number ${id} of the table` }));
    const jobs = items.map(([n]) => ({ n, rows }));
    const once = await sent(pool, () => pool.run(named(jobs[0]!)));
    const many = await sent(pool, async () => assert.equal((await pool.map(named, jobs))[3], 50_002));
    holds(many < 4.2 * once + 0.3, `${many} MB for 40 tasks, ${once} for one`);
    near(await sent(pool, () => pool.broadcast(digest(noise(4 * MB)))), 16);
  });

  await point("shared objects keep their identity inside an item", async () => {
    const rows = Array.from({ length: 20_000 }, (_, id) => ({ id, text: "some words here" }));
    const table = { rows, first: rows[0] };
    const same = sky.fn((item: { table: typeof table; rows: typeof rows }) => [
      item.table.rows === item.rows,
      item.table.first === item.rows[0],
    ]);
    const results = await pool.map(
      same,
      Array.from({ length: 6 }, () => ({ table, rows })),
    );
    for (const result of results) assert.deepEqual(result, [true, true]);
  });

  await point("1,000 tasks that share a Ref send it to each of 4 nodes once", async () => {
    const values = new Float64Array(MB / 4).fill(3);
    const ref = pool.put(values);
    values.fill(9);
    holds(ref.bytes >= 2 * MB);
    const run = async (): Promise<void> => {
      const results = await pool.starmap(
        last,
        Array.from({ length: 1000 }, (_, n) => [n, ref] as const),
      );
      results.forEach((result, n) => assert.deepEqual(result, [n, MB / 4, 3]));
    };
    near(await sent(pool, run), 8);
    const again = pool.put(new Float64Array(MB / 4).fill(3));
    near(await sent(pool, () => pool.broadcast(last(1, again))), 0);
    ref.release();
    assert.deepEqual(await pool.run(last(2, again)), [2, MB / 4, 3]);
    again.release();
    assert.equal((await failure(pool.run(last(1, again)))).code, "SKY_BAD_REF");
  });

  await point("a Ref is any value: an item, an object, a number; each task has a copy of its own", async () => {
    using values = pool.put(new Float64Array(MB).fill(6));
    assert.deepEqual(await pool.map(spoil, [values, values, values, values, values, values]), [6, 6, 6, 6, 6, 6]);
    using table = pool.put(new Map([["a", { list: [1, 2, 3] }]]));
    assert.deepEqual(await pool.run(echo(table)), new Map([["a", { list: [1, 2, 3] }]]));
    using small = pool.put(5);
    const add = sky.fn((a: number, b: number) => a + b);
    assert.equal(await pool.run(add(small, small)), 10);
    const pulled = function* () {
      for (let i = 0; i < 5; i++) yield values;
    };
    assert.deepEqual(await pool.map(spoil, pulled()), [6, 6, 6, 6, 6]);
  });

  await point("a Ref of many MB is a copy of its own each time, also where it is there twice", async () => {
    const bytes = noise(41 * MB + 3);
    using ref = pool.put(bytes);
    using other = pool.put(bytes);
    const both = sky.fn((a: Uint8Array, b: Uint8Array, c: Uint8Array) => {
      const hashes = [a, b].map((one) => createHash("sha256").update(one).digest("hex"));
      a.fill(0);
      return [...hashes, a === c, b[1000], a.buffer instanceof ArrayBuffer && b.buffer instanceof ArrayBuffer];
    });
    const expected = [hash(bytes), hash(bytes), true, bytes[1000], true];
    for (let i = 0; i < 2; i++) assert.deepEqual(await pool.run(both(ref, other, ref), { target: 0 }), expected);
  });

  await point("a call that runs here gets a copy of what a Ref stands for", async () => {
    using values = pool.put(new Float64Array(MB).fill(2));
    const call = spoil(values);
    assert.deepEqual([await call.local(), await call.local(), spoil.local(values)], [2, 2, 2]);
    using table = pool.put(new Map([["a", new URL("http://a/")]]));
    const there = await echo(table).local();
    assert.deepEqual(there, new Map([["a", new URL("http://a/")]]));
    table.release();
    assert.throws(() => echo(table).local(), { code: "SKY_BAD_REF" });
  });

  await point("a Ref in the wrong place is refused in words", async () => {
    using ref = pool.put([1]);
    const inside = await failure(pool.run(echo({ ref })));
    assert.equal(inside.code, "SKY_BAD_REF");
    assert.match(inside.message, /^args\[0\]\.ref \(Ref\)/);
    const captured = await failure(pool.map((i: number) => [ref, i], [1, 2]));
    assert.equal(captured.code, "SKY_BAD_REF");
    assert.match(captured.message, /^captured\.ref \(Ref\)/);
    assert.match(captured.hint ?? "", /argument of its own/);
    await sky.compute({ nodes: 1, console: "silent" }, async (other) => {
      const error = await failure(other.run(echo(ref)));
      assert.equal(error.code, "SKY_BAD_REF");
      assert.match(error.message, /another pool/);
    });
  });

  await point("a host that ended is sent what it lost", async () => {
    using ref = pool.put(new Float64Array(MB).fill(8));
    const die = sky.fn(() => process.kill(process.pid, "SIGKILL"), { rerun: "never" });
    await pool.run(last(0, ref), { target: 1 });
    const replaced = event(pool, "Node.HostReplaced");
    await failure(pool.run(die(), { target: 1 }));
    await replaced;
    near(await sent(pool, async () => assert.deepEqual(await pool.run(last(1, ref), { target: 1 }), [1, MB, 8])), 8);
  });

  await point("a task whose argument is on its way can be cancelled, others go on", async () => {
    const task = pool.run(digest(noise(30 * MB)), { target: 2 });
    await sleep(5);
    task.cancel();
    assert.equal((await failure(task)).code, "SKY_TASK_CANCELLED");
    assert.equal(await pool.run(digest(new Uint8Array(3 * MB)), { target: 2 }), hash(new Uint8Array(3 * MB)));
  });
});

await sky.compute({ nodes: 1, env: { SKYWARD_VALUES_MB: "20" }, console: "silent" }, async (pool) => {
  await point("above its limit a node moves values to disk, and has them when they are needed", async () => {
    const refs = Array.from({ length: 5 }, (_, n) => pool.put(new Float64Array(MB).fill(n)));
    const files = sky.fn((dir: string) =>
      readdirSync(dir)
        .filter((name) => name.startsWith("sky-"))
        .flatMap((name) => {
          const values = `${dir}/${name}/values`;
          return process.env["SKYWARD_RUN"] === `${dir}/${name}`
            ? readdirSync(values).map((one) => `${values}/${one}`)
            : [];
        }),
    );
    const cost = await sent(pool, async () => {
      for (const turn of [0, 1])
        for (const [n, ref] of refs.entries()) assert.deepEqual(await pool.run(last(turn, ref)), [turn, MB, n]);
    });
    near(cost, 40);
    const dir = process.env["XDG_RUNTIME_DIR"] ?? tmpdir();
    const there = await pool.run(files(dir));
    holds(there.length >= 3, `${there.length} files`);
    for (const file of there) assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  await point("what lies on disk is hashed again, and sent anew when it was changed", async () => {
    const refs = Array.from({ length: 4 }, (_, n) => pool.put(new Float64Array(MB).fill(100 + n)));
    for (const ref of refs) await pool.run(last(0, ref));
    const damage = sky.fn(async () => {
      const { readdir, open } = await import("node:fs/promises");
      const dir = `${process.env["SKYWARD_RUN"]}/values`;
      for (const name of await readdir(dir)) {
        const file = await open(`${dir}/${name}`, "r+");
        await file.write(Buffer.from([1, 2, 3]), 0, 3, 5 * 1024 * 1024);
        await file.close();
      }
    });
    await pool.run(damage());
    const cost = await sent(pool, async () => {
      for (const [n, ref] of refs.entries()) assert.deepEqual(await pool.run(last(0, ref)), [0, MB, 100 + n]);
    });
    holds(cost >= 8, `${cost} MB were sent again`);
  });
});

await sky.compute({ nodes: 1, worker: { concurrency: 2, executor: "process" }, console: "silent" }, async (pool) => {
  await point("processes get large arguments, shared values and Refs too, each a copy of its own", async () => {
    const bytes = noise(3 * MB + 5);
    assert.equal(await pool.run(digest(bytes)), hash(bytes));
    assert.equal(hash(await pool.run(echo(bytes))), hash(bytes));
    using ref = pool.put(new Float64Array(MB).fill(6));
    const values = new Float64Array(MB).fill(7);
    const cost = await sent(pool, async () => {
      assert.deepEqual(await pool.map(spoil, [ref, ref, ref, ref]), [6, 6, 6, 6]);
      assert.deepEqual(await pool.map(spoil, [values, values, values, values]), [7, 7, 7, 7]);
    });
    near(cost, 16);
    using equal = pool.put(new Float64Array(MB).fill(6));
    assert.deepEqual(await pool.run(spoilFirst(ref, equal)), [-1, 6]);
  });
});
