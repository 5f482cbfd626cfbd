// Functions and instances as arguments and results, and one class for all functions.
import assert from "node:assert/strict";
import * as sky from "skyward";
import { failure, holds, point } from "../../support/point.ts";
import { Circle, circle, isCircle } from "./own/shapes.ts";

let factor = 3;
const settings = { bonus: 1, password: "secret" };
const apply = sky.fn((f: (x: number) => number, x: number) => f(x));
const same = sky.fn(<T>(value: T) => value);
const twice = sky.fn((x: number) => x * 2);

class Model {
  weights: number[];
  constructor(weights: number[]) {
    this.weights = weights;
  }
  sum(): number {
    return this.weights.reduce((a, b) => a + b, 0) * settings.bonus;
  }
}
class Money {
  static readonly [sky.codec] = {
    encode: (money: Money): number => money.cents(),
    decode: (cents: number): Money => new Money(cents),
  };
  #cents: number;
  constructor(cents: number) {
    this.#cents = cents;
  }
  cents(): number {
    return this.#cents;
  }
}
class Point {
  x = 1;
}
sky.register(Point, { id: "geo/Point", encode: (point) => point.x, decode: (x) => Object.assign(new Point(), { x }) });
class FitError extends Error {
  override readonly name = "FitError";
  readonly at: number;
  constructor(at: number) {
    super(`no fit at ${at}`);
    this.at = at;
  }
}

const build = sky.fn((weights: number[]) => new Model(weights));
const inspect = sky.fn((model: Model) => [model instanceof Model, model.sum()]);
const strangers = sky.fn((value: { area?: () => number; sum?: () => number }) => [
  value.constructor.name,
  value.area?.() ?? value.sum?.(),
]);
const wallet = new Money(5);
const origin = Object.assign(new Point(), { x: 7 });
function addOne(x: number): number {
  return x + 1;
}

await sky.compute({ nodes: 1, console: "silent" }, async (pool) => {
  await point("functions as arguments", async () => {
    assert.equal(await pool.run(apply((x) => x + 1, 2)), 3);
    assert.equal(await pool.run(apply((x) => x * factor, 2)), 6);
    factor = 10;
    assert.equal(await pool.run(apply((x) => x * factor, 2)), 20);
    assert.equal(await pool.run(apply(addOne, 2)), 3);
    assert.equal(await pool.run(apply(Math.sqrt, 16)), 4);
  });

  await point("closures in a map", async () => {
    const makers = [1, 2, 3].map((k) => (x: number) => x * k);
    assert.deepEqual(
      await pool.starmap(
        apply,
        makers.map((f) => [f, 10] as const),
      ),
      [10, 20, 30],
    );
    const inside = sky.fn(({ f, x }: { f: (x: number) => number; x: number }) => f(x));
    assert.deepEqual(
      await pool.map(
        inside,
        makers.map((f) => ({ f, x: 2 })),
      ),
      [2, 4, 6],
    );
  });

  await point("sky.fn functions as arguments", async () => {
    const local = sky.fn((f: typeof twice, x: number) => f.local(x));
    assert.equal(await pool.run(local(twice, 4)), 8);
  });

  await point("a function that came back is the same", async () => {
    const plus = (x: number): number => x + factor;
    assert.equal(await pool.run(same(plus)), plus);
    assert.equal(await pool.run(same(addOne)), addOne);
    const [first] = (await pool.run(same([addOne, plus]))) as [unknown];
    assert.equal(first, addOne);
    const refersTo = sky.fn(() => ({ helper: addOne, make: circle }));
    assert.deepEqual(await pool.run(refersTo()), { helper: addOne, make: circle });
    const error = await failure(pool.run(sky.fn(() => () => 1)()));
    assert.match(error.message, /functions don't travel/);
  });

  await point("instances, there and back", async () => {
    const model = await pool.run(build([1, 2]));
    holds(model instanceof Model);
    assert.equal(model.sum(), 3);
    assert.deepEqual(await pool.run(inspect(model)), [true, 3]);
    assert.deepEqual(await pool.run(strangers(new Model([4]))), ["Model", 4]);
    holds((await pool.run(same(new Model([5])))) instanceof Model);
    assert.deepEqual(await pool.map(inspect, [new Model([1]), new Model([2])]), [
      [true, 1],
      [true, 2],
    ]);
  });

  await point("classes of own modules", async () => {
    assert.deepEqual(await pool.run(strangers(new Circle(1))), ["Circle", 3]);
    const known = sky.fn((value: Circle) => [isCircle(value), value.area()]);
    assert.deepEqual(await pool.run(known(new Circle(2))), [true, 13]);
    const made = await pool.run(sky.fn(() => (isCircle(0) ? undefined : new Circle(3)))());
    holds(made instanceof Circle);
  });

  await point("classes with a codec", async () => {
    assert.equal(await pool.run(sky.fn((money: Money) => money.cents())(new Money(12))), 12);
    assert.equal((await pool.run(sky.fn(() => new Money(3))())).cents(), 3);
    assert.equal(await pool.run(sky.fn(() => wallet.cents())()), 5);
    assert.equal(await pool.run(sky.fn((p: Point) => p.x)(origin)), 7);
    assert.equal(await pool.run(sky.fn(() => origin.x)()), 7);
    holds((await pool.run(sky.fn(() => origin)())) instanceof Point);
  });

  await point("errors", async () => {
    const error = await failure(
      pool.run(
        sky.fn(() => {
          throw new FitError(3);
        })(),
      ),
    );
    holds(error instanceof FitError);
    assert.equal(
      await pool.run(sky.fn((e: Error) => `${e.constructor.name} ${e instanceof FitError}`)(new FitError(1))),
      "FitError true",
    );
  });

  await point("what can't travel fails its own task", async () => {
    const socket = new (await import("node:net")).Socket();
    const refused = await failure(pool.run(same(() => socket)));
    assert.match(refused.message, /socket \(net\.Socket\)/);
    const settled = [];
    for await (const one of pool.map(same, [1, () => socket, 3]).settled()) settled.push(one.status);
    assert.deepEqual(settled, ["fulfilled", "rejected", "fulfilled"]);
  });
});
