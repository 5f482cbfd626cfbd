// What a function sees of the program that it was written in.
import assert from "node:assert/strict";
import { cpus } from "node:os";
import lodash from "lodash";
import * as sky from "skyward";
import { failure, holds, point } from "../../support/point.ts";
import { Person } from "./own/person.ts";
import * as units from "./own/units.ts";
import { toMetres } from "./own/units.ts";

const TABLE = new Map([["a", 1]]);
let threshold = 1;
const config = { rate: 0.1, nested: { deep: [1, 2, 3] } };

function square(x: number): number {
  return x * x;
}
const sumOfSquares = (values: readonly number[]): number => values.reduce((sum, x) => sum + square(x), 0);
class Point {
  readonly x: number;
  constructor(x: number) {
    this.x = x;
  }
  get twice(): number {
    return 2 * this.x;
  }
}

await sky.compute({ console: "silent" }, async (pool) => {
  await point("a let is read at each call", async () => {
    const above = sky.fn((x: number) => x > threshold);
    assert.equal(await pool.run(above(5)), true);
    threshold = 10;
    assert.equal(await pool.run(above(5)), false);
    const before = pool.run(above(15));
    threshold = 20;
    assert.deepEqual([await before, await pool.run(above(15))], [true, false]);
  });

  await point("a captured object is read at each call", async () => {
    const rate = sky.fn((x: number) => x * config.rate + config.nested.deep.length);
    assert.equal(await pool.run(rate(10)), 4);
    config.rate = 1;
    config.nested.deep.push(4);
    assert.equal(await pool.run(rate(10)), 14);
    TABLE.set("b", 2);
    const size = sky.fn(() => TABLE.size);
    assert.equal(await pool.run(size()), 2);
    TABLE.set("c", 3);
    assert.equal(await pool.run(size()), 3);
  });

  await point("arguments are taken at the call", async () => {
    const job = { list: [1, 2, 3], bytes: new Uint8Array([1, 2, 3]) };
    const task = pool.run(sky.fn((given: typeof job) => [...given.list, ...given.bytes])(job));
    const batch = pool.map(
      sky.fn((given: typeof job) => given.list.length),
      [job, job],
    );
    job.list.length = 0;
    job.bytes.fill(9);
    assert.deepEqual(await task, [1, 2, 3, 1, 2, 3]);
    assert.deepEqual(await batch, [3, 3]);
  });

  await point("what a task changes stays on the node", async () => {
    const list = [1];
    const grown = await pool.run(sky.fn((given: number[]) => [...given, given.push(2)])(list));
    assert.deepEqual([grown.length, list], [2, [1]]);
  });

  await point("functions and classes beside it", async () => {
    assert.equal(await pool.run(sky.fn(() => sumOfSquares([1, 2, 3]))()), 14);
    assert.equal(await pool.run(sky.fn((x: number) => new Point(x).twice)(4)), 8);
  });

  await point("imports of own files, node's modules and packages", async () => {
    assert.equal(await pool.run(sky.fn(() => toMetres(10))()), 3.048);
    assert.equal(await pool.run(sky.fn(() => units.toMetres(100))()), 30.48);
    assert.equal(await pool.run(sky.fn(() => cpus().length)()), cpus().length);
    assert.deepEqual(await pool.run(sky.fn((list: number[]) => lodash.chunk(list, 2))([1, 2, 3])), [[1, 2], [3]]);
    assert.deepEqual(await pool.run(sky.fn((given: unknown) => Person.parse(given))({ name: "A", age: 3, more: 1 })), {
      name: "A",
      age: 3,
    });
    assert.equal(
      (await failure(pool.run(sky.fn((given: unknown) => Person.parse(given))({ name: "A", age: -1 })))).name,
      "ZodError",
    );
  });

  await point("a module is loaded once in an executor, whoever imports it", async () => {
    const before = await pool.run(sky.fn(() => units.timesCalled())());
    await pool.run(sky.fn(() => toMetres(1))());
    assert.equal(await pool.run(sky.fn(() => units.timesCalled())()), before + 1);
    assert.equal(units.timesCalled(), 0);
  });

  await point("values of a local scope, and of a loop's turn", async () => {
    const makers = [1, 2, 3].map((n) => sky.fn((x: number) => x * n));
    assert.deepEqual(await Promise.all(makers.map((fn) => pool.run(fn(10)))), [10, 20, 30]);
    const scaled = (by: number) => sky.fn((x: number) => x * by);
    assert.deepEqual(await pool.run(sky.gather(scaled(2)(5), scaled(3)(5))), [10, 15]);
  });

  await point("what can't travel is refused by name", async () => {
    const socket = new (await import("node:net")).Socket();
    const error = await failure(pool.run(sky.fn(() => socket.bytesRead)()));
    holds(error instanceof sky.SkyError);
    assert.match(error.code, /^SKY_CAPTURE_/);
    assert.match(error.message, /socket/);
    assert.equal(await pool.run(sky.fn(() => 1)()), 1);
  });
});
