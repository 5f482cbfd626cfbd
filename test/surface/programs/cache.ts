// cache: what is served from the disk, what is not, and what others find there. `cache.ts DIR`: a folder of its own.
import assert from "node:assert/strict";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import * as sky from "skyward";
import { event, failure, holds, point } from "../../support/point.ts";

const dir = process.argv[2]!;
const log = join(dir, "ran");
const results = join(dir, "results");
const cache = { dir: results };

/** What ran since the last look. */
function ran(): string[] {
  const lines = existsSync(log) ? readFileSync(log, "utf8").split("\n").filter(Boolean) : [];
  writeFileSync(log, "");
  return lines.sort();
}
const files = (folder = results): string[] =>
  readdirSync(folder).flatMap((name) => readdirSync(join(folder, name)).map((file) => join(folder, name, file)));

class Point {
  x: number;
  constructor(x: number) {
    this.x = x;
  }
}

const square = sky.fn(
  (n: number) => {
    appendFileSync(log, `${n}\n`);
    return { n, square: n * n, seen: new Set([n]) };
  },
  { cache },
);
const add = sky.fn(
  (a: number, b: number) => {
    appendFileSync(log, `${a}+${b}\n`);
    return a + b;
  },
  { cache },
);

await sky.compute({ nodes: 2, console: "silent" }, async (pool) => {
  await point("map, run, gather, starmap: a call that was answered runs no more", async () => {
    const first = await pool.map(square, [1, 2, 3]);
    assert.deepEqual(ran(), ["1", "2", "3"]);
    assert.deepEqual(await pool.map(square, [3, 2, 1, 4]), [
      first[2],
      first[1],
      first[0],
      { n: 4, square: 16, seen: new Set([4]) },
    ]);
    assert.deepEqual(ran(), ["4"]);
    assert.equal(await pool.run(add(1, 2)), 3);
    assert.equal(await pool.run(add(1, 2)), 3);
    assert.deepEqual(await pool.run(sky.gather(add(1, 2), add(2, 2), square(7))), [
      3,
      4,
      { n: 7, square: 49, seen: new Set([7]) },
    ]);
    assert.deepEqual(
      await pool.starmap(add, [
        [1, 2],
        [2, 2],
        [5, 5],
      ]),
      [3, 4, 10],
    );
    assert.deepEqual(ran(), ["1+2", "2+2", "5+5", "7"]);
    const slow = async function* (): AsyncGenerator<number> {
      for (let n = 1; n <= 5; n++) yield n;
    };
    const seen: number[] = [];
    for await (const one of pool.map(square, slow()).unordered()) seen.push(one.n);
    assert.deepEqual(
      seen.sort((a, b) => a - b),
      [1, 2, 3, 4, 5],
    );
    assert.deepEqual(ran(), ["5"]);
  });

  await point("such a task says so, and so do events", async () => {
    const told = event(pool, "Tasks.Cached");
    const one = event(pool, "Task.Cached");
    const task = pool.run(add(1, 2));
    assert.equal(task.cached, false);
    assert.equal(await task, 3);
    assert.equal(task.cached, true);
    assert.equal(task.status, "done");
    assert.equal(task.node, undefined);
    assert.deepEqual(task.attempts, []);
    holds(task.timing.received !== undefined && task.timing.sent === undefined);
    const { name, count } = await told;
    assert.deepEqual([name, count], ["add", 1]);
    assert.equal((await one).task, task.id);
    const fresh = pool.run(add(100, 1));
    await fresh;
    assert.equal(fresh.cached, false);
    const [was] = await pool.map(square, [1]).settled();
    assert.equal(was!.task.cached, true);
    ran();
  });

  await point("other captured values, other code: other results", async () => {
    let factor = 2;
    const times = sky.fn((n: number) => (appendFileSync(log, `${n}*${factor}\n`), n * factor), { cache });
    assert.equal(await pool.run(times(5)), 10);
    factor = 3;
    assert.equal(await pool.run(times(5)), 15);
    factor = 2;
    assert.equal(await pool.run(times(5)), 10);
    assert.deepEqual(ran(), ["5*2", "5*3"]);
  });

  await point("errors are not kept, undefined is", async () => {
    const odd = sky.fn(
      (n: number) => {
        appendFileSync(log, `odd ${n}\n`);
        if (n > 0) throw new RangeError("no");
      },
      { cache },
    );
    assert.equal((await failure(pool.run(odd(1)))).name, "RangeError");
    assert.equal((await failure(pool.run(odd(1)))).name, "RangeError");
    assert.equal(await pool.run(odd(0)), undefined);
    assert.equal(await pool.run(odd(0)), undefined);
    assert.deepEqual(ran(), ["odd 0", "odd 1", "odd 1"]);
  });

  await point("a class comes back as itself, a large result whole", async () => {
    const made = sky.fn(
      (x: number) => (appendFileSync(log, "made\n"), { at: new Point(x), big: new Float64Array(400_000).fill(x) }),
      { cache },
    );
    for (let turn = 0; turn < 2; turn++) {
      const { at, big } = await pool.run(made(3));
      holds(at instanceof Point && at.x === 3 && big.length === 400_000 && big[399_999] === 3);
    }
    assert.deepEqual(ran(), ["made"]);
    const large = new Uint8Array(1_000_000).fill(7);
    const sum = sky.fn((bytes: Uint8Array) => (appendFileSync(log, "sum\n"), bytes.reduce((a, b) => a + b, 0)), {
      cache,
    });
    assert.equal(await pool.run(sum(large)), 7_000_000);
    large[999_999] = 8;
    assert.equal(await pool.run(sum(large)), 7_000_001);
    assert.equal(await pool.run(sum(large)), 7_000_001);
    assert.deepEqual(ran(), ["sum", "sum"]);
  });

  await point("what calls share, and what is large, counts byte by byte", async () => {
    const at = sky.fn(
      ({ n, table }: { n: number; table: Float64Array }) => {
        appendFileSync(log, `at ${n}\n`);
        return table[n];
      },
      { cache },
    );
    const table = Float64Array.from({ length: 50_000 }, (_, n) => n);
    const items = [0, 1, 49_999].map((n) => ({ n, table }));
    assert.deepEqual(await pool.map(at, items), [0, 1, 49_999]);
    assert.deepEqual(await pool.map(at, items), [0, 1, 49_999]);
    assert.equal(ran().length, 3);
    table[49_999] = -1;
    assert.deepEqual(await pool.map(at, items), [0, 1, -1]);
    assert.equal(ran().length, 3);
    // The last of many is another one.
    const join = sky.fn((...parts: Uint8Array[]) => (appendFileSync(log, "join\n"), Buffer.concat(parts)), { cache });
    const [a, b, c] = [1, 2, 3].map((n) => new Uint8Array(100_000).fill(n)) as [Uint8Array, Uint8Array, Uint8Array];
    assert.equal((await pool.run(join(a, b)))[199_999], 2);
    assert.equal((await pool.run(join(a, c)))[199_999], 3);
    assert.equal((await pool.run(join(a, a)))[199_999], 1);
    assert.equal((await pool.run(join(a, b)))[199_999], 2);
    assert.equal(ran().length, 3);
  });

  await point("broadcast and target run; so does a call that says no, or brings its own function", async () => {
    assert.deepEqual(await pool.broadcast(add(1, 2)), [3, 3]);
    assert.equal(await pool.run(add(1, 2), { target: 1 }), 3);
    assert.equal(await pool.run(add(1, 2).with({ cache: false })), 3);
    assert.deepEqual(ran(), ["1+2", "1+2", "1+2", "1+2"]);
    const apply = sky.fn((f: (n: number) => number, n: number) => (appendFileSync(log, "apply\n"), f(n)), { cache });
    assert.equal(await pool.run(apply((n) => n + 1, 1)), 2);
    assert.equal(await pool.run(apply((n) => n + 2, 1)), 3);
    assert.equal(ran().length, 2);
  });

  await point("streams are refused, in and out", async () => {
    const counts = sky.fn(async function* counts(to: number) {
      for (let n = 0; n < to; n++) yield n;
    });
    const out = await failure(pool.run(counts(3).with({ cache: true })));
    assert.equal(out.code, "SKY_BAD_OPTION");
    assert.match(out.message, /counts can't have cache/);
    const eats = sky.fn(async (_: AsyncIterable<number>) => 1, { cache });
    const given = (async function* () {
      yield 1;
    })();
    assert.match((await failure(pool.run(eats(given)))).message, /eats has cache, but an argument is a stream/);
  });

  await point("what is kept is the user's alone; a folder that others can write is refused", async () => {
    assert.equal(statSync(results).mode & 0o777, 0o700);
    for (const name of readdirSync(results)) assert.equal(statSync(join(results, name)).mode & 0o777, 0o700);
    for (const file of files()) assert.equal(statSync(file).mode & 0o777, 0o600);
    const open = join(dir, "open");
    mkdirSync(open);
    chmodSync(open, 0o777);
    const error = await failure(pool.run(add(1, 2).with({ cache: { dir: open } })));
    assert.equal(error.code, "SKY_CACHE_FAILED");
    assert.match(error.message, /can be written by others/);
    writeFileSync(join(dir, "file"), "");
    assert.equal(
      (await failure(pool.run(add(1, 2).with({ cache: { dir: join(dir, "file") } })))).code,
      "SKY_CACHE_FAILED",
    );
    assert.deepEqual(ran(), []);
  });

  await point("a ttl, wrong options", async () => {
    const brief = { cache: { dir: results, ttl: "1ms" } };
    assert.equal(await pool.run(add(8, 8).with(brief)), 16);
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(await pool.run(add(8, 8).with(brief)), 16);
    assert.deepEqual(ran(), ["8+8", "8+8"]);
    const refused = (given: unknown): string => {
      try {
        add.with({ cache: given as never });
        return "";
      } catch (error) {
        return (error as Error).message;
      }
    };
    assert.match(refused("/tmp"), /cache must be true, false or/);
    assert.match(refused({ dir: "here" }), /cache.dir must be an absolute path/);
    assert.match(refused({ folder: "/tmp" }), /cache has no option "folder"/);
    assert.match(refused({ maxGb: 0 }), /cache.maxGb/);
    assert.match(refused({ ttl: 5 }), /ttl/);
  });

  await point("cancelled while it is looked up, or aborted before", async () => {
    const task = pool.run(add(1, 2));
    task.cancel();
    assert.equal((await failure(task)).code, "SKY_TASK_CANCELLED");
    const batch = pool.map(square, [1, 2, 3]);
    batch.cancel();
    assert.equal((await failure(batch)).code, "SKY_TASK_CANCELLED");
    assert.equal(await pool.run(add(1, 2)), 3);
  });
});

await sky.compute({ nodes: 1, console: "silent" }, async (pool) => {
  await point("another pool finds it all", async () => {
    assert.equal((await pool.map(square, [1, 2, 3, 4, 5])).length, 5);
    assert.equal(await pool.run(add(2, 2)), 4);
    assert.deepEqual(ran(), []);
  });

  await point("10,000 that are known take no slot, and little time", async () => {
    const many = sky.fn((n: number) => n + 0.5, { cache });
    const items = Array.from({ length: 10_000 }, (_, n) => n);
    await pool.map(many, items);
    const began = performance.now();
    const again = pool.map(many, items);
    assert.deepEqual(
      await again,
      items.map((n) => n + 0.5),
    );
    const took = performance.now() - began;
    holds(took < 2000, `${took} ms`);
    console.log(`10,000 in ${Math.round(took)} ms`);
    const ends = await again.settled();
    holds(ends.every(({ task }) => task.cached));
  });
});

await sky.compute({ nodes: 1, console: "silent" }, async (pool) => {
  await point("what is damaged or cut off runs again, and nothing else", async () => {
    for (const file of files()) {
      const bytes = readFileSync(file);
      // The last byte of the last block, or half of it.
      if (bytes.length > 10_000) writeFileSync(file, bytes.subarray(0, bytes.length - 1));
    }
    const many = sky.fn((n: number) => n + 0.5, { cache });
    const items = Array.from({ length: 10_000 }, (_, n) => n);
    const ends = await pool.map(many, items).settled();
    holds(ends.every((end) => end.status === "fulfilled" && end.value === end.index + 0.5));
    ran();
    assert.equal((await pool.map(square, [1, 2, 3, 4, 5])).length, 5);
    assert.deepEqual(ran(), []);
  });
});
