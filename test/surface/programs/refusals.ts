// Calls that are wrong: each a SkyError with a code and a hint, before anything is made where that applies.
import assert from "node:assert/strict";
import * as sky from "skyward";
import { failure, holds, point } from "../../support/point.ts";

let provisioned = 0;
const counting: sky.Provider = {
  ...sky.local(),
  name: "counting",
  provision: (...args) => {
    provisioned++;
    return sky.local().provision(...args);
  },
};
const open = (options: object): Promise<unknown> =>
  sky.compute({ provider: counting, console: "silent", ...options }, () => {});

/** Fails with this code, a hint, and a message that says these things. */
async function refused(
  call: PromiseLike<unknown> | (() => unknown),
  code: sky.ErrorCode,
  ...says: readonly RegExp[]
): Promise<void> {
  const error = await failure(call);
  holds(error instanceof sky.SkyError, `${error.name}: ${error.message}`);
  assert.equal(error.code, code, error.message);
  holds(error.hint.length > 10, "no hint");
  for (const pattern of says) assert.match(`${error.message} ${error.hint}`, pattern);
}

const add = sky.fn((a: number, b: number) => a + b);
const any = (value: unknown): never => value as never;

await point("sky.fn: unknown options, bare numbers, no function", async () => {
  await refused(() => sky.fn(() => 1, any({ timeuot: "1s" })), "SKY_BAD_OPTION", /"timeuot"/, /timeout/);
  await refused(() => sky.fn(() => 1, any({ timeout: 600 })), "SKY_BAD_DURATION", /timeout/, /"600s"/);
  await refused(() => sky.fn(() => 1, { timeout: "10" }), "SKY_BAD_DURATION", /"10s"/);
  await refused(() => sky.fn(() => 1, { queueTimeout: "soon" }), "SKY_BAD_DURATION", /queueTimeout/);
  await refused(() => sky.fn(() => 1, { timeout: "0s" }), "SKY_BAD_DURATION");
  await refused(() => sky.fn(() => 1, any({ retry: -1 })), "SKY_BAD_OPTION", /retry/);
  await refused(() => sky.fn(() => 1, any({ stdout: "all" })), "SKY_BAD_OPTION", /stdout/);
  await refused(() => sky.fn(any(5)), "SKY_BAD_CALL");
  await refused(() => add.with(any({ slient: true })), "SKY_BAD_OPTION", /silent/);
  await refused(() => add(1, 2).with(any({ time: "1s" })), "SKY_BAD_OPTION");
});

await point("compute: unknown options, durations, names, values", async () => {
  await refused(open({ node: 2 }), "SKY_BAD_OPTION", /"node"/, /nodes/);
  await refused(open({ worker: { concurency: 2 } }), "SKY_BAD_OPTION", /"concurency"/, /concurrency/);
  await refused(open({ worker: { concurrency: 0 } }), "SKY_BAD_OPTION", /concurrency/);
  await refused(open({ worker: { concurrency: 1.5 } }), "SKY_BAD_OPTION");
  await refused(open({ worker: { executor: "fork" } }), "SKY_BAD_OPTION", /executor/);
  await refused(open({ worker: { killGrace: 5 } }), "SKY_BAD_DURATION", /killGrace/);
  await refused(open({ defaultComputeTimeout: 300 }), "SKY_BAD_DURATION", /defaultComputeTimeout/);
  await refused(open({ name: "a b" }), "SKY_BAD_OPTION", /name/);
  await refused(open({ provider: {} }), "SKY_BAD_OPTION", /provider/);
  await refused(open({ env: { A: 1 } }), "SKY_BAD_OPTION", /env\.A/);
  await refused(open({ console: "loud" }), "SKY_BAD_OPTION", /console/);
  await refused(open({ signal: {} }), "SKY_BAD_OPTION", /signal/);
  await refused(sky.compute(any(null)), "SKY_BAD_OPTION");
  await refused(sky.compute({ provider: counting }, any("body")), "SKY_BAD_CALL");
});

await point("compute: nodes", async () => {
  for (const nodes of [
    0,
    -1,
    1.5,
    "4",
    [2],
    [3, 2],
    [0, 2],
    [1, 2, 3],
    {},
    { min: 1 },
    { desired: 1, min: 2 },
    { desired: 3, max: 2 },
    null,
  ]) {
    await refused(open({ nodes }), "SKY_BAD_NODES", /\[2, 8\]/);
  }
  await refused(open({ nodes: { desired: 1, most: 2 } }), "SKY_BAD_OPTION", /"most"/);
});

await point("nothing had been provisioned", () => assert.equal(provisioned, 0));

await sky.compute({ provider: counting, nodes: 2, console: "silent" }, async (pool) => {
  await point("targets", async () => {
    for (const target of [2, -1, 0.5, "tail", null, "0"]) {
      await refused(pool.run(add(1, 2), any({ target })), "SKY_BAD_TARGET", /0 to 1/);
      await refused(pool.map(any(add), any([1]), any({ target })), "SKY_BAD_TARGET");
    }
  });

  await point("options of calls", async () => {
    await refused(pool.run(add(1, 2), any({ tarket: 0 })), "SKY_BAD_OPTION", /"tarket"/, /target/);
    await refused(pool.map(any(add), any([]), any({ window: 3 })), "SKY_BAD_OPTION", /pool\.map/);
    await refused(pool.starmap(add, [], any({ only: "ready" })), "SKY_BAD_OPTION");
    await refused(pool.broadcast(add(1, 2), any({ target: 0 })), "SKY_BAD_OPTION");
    await refused(pool.broadcast(add(1, 2), any({ only: "head" })), "SKY_BAD_OPTION", /only/);
    await refused(pool.run(add(1, 2), any({ signal: {} })), "SKY_BAD_OPTION", /signal/);
    await refused(pool.run(add(1, 2), any(null)), "SKY_BAD_OPTION");
  });

  await point("not a pending: a function, a promise, a value", async () => {
    await refused(pool.run(any(add)), "SKY_BAD_CALL", /the function add/, /add\(\.\.\.\)/);
    await refused(pool.run(any(Promise.resolve(3))), "SKY_BAD_CALL", /promise/);
    await refused(pool.run(any(() => 1)), "SKY_BAD_CALL", /plain function/);
    await refused(pool.run(any(undefined)), "SKY_BAD_CALL", /undefined/);
    await refused(pool.run(any(null)), "SKY_BAD_CALL", /null/);
    await refused(pool.broadcast(any(add)), "SKY_BAD_CALL", /the function add/);
    await refused(() => sky.gather(any(Promise.resolve())), "SKY_BAD_CALL", /promise/);
    await refused(() => sky.gather(add(1, 2), any(add)), "SKY_BAD_CALL", /item 1/, /add/);
    await refused(pool.map(any(add(1, 2)), []), "SKY_BAD_CALL", /pool\.map/);
    await refused(pool.map(any(add), any(5)), "SKY_BAD_CALL", /items/);
    await refused(pool.map(any(add), any(null)), "SKY_BAD_CALL", /null/);
  });

  await point("an argument that can't travel", async () => {
    await refused(pool.run(add(any(Symbol("x")), 2)), "SKY_VALUE_UNSERIALIZABLE");
    await refused(pool.broadcast(add(any(Symbol("x")), 2)), "SKY_VALUE_UNSERIALIZABLE").catch(async () => {
      const error = await failure(pool.broadcast(add(any(Symbol("x")), 2)));
      holds(error instanceof sky.BroadcastError, error.message);
    });
  });

  await point("compute inside a shipped function", async () => {
    const nested = sky.fn(() => sky.compute({ nodes: 1 }, () => 1));
    await refused(pool.run(nested()), "SKY_ON_NODE");
    await refused(pool.run(sky.fn(() => sky.session())()), "SKY_ON_NODE");
    await refused(pool.run(sky.fn(() => sky.local().name)()), "SKY_NOT_ON_NODE");
    await refused(pool.run(sky.fn(async () => (await nested.explain()).bytes)()), "SKY_NOT_ON_NODE");
  });

  await point("the task's own names, outside a task", async () => {
    await refused(() => sky.task(), "SKY_NOT_IN_TASK");
    await refused(() => sky.instanceInfo(), "SKY_NOT_IN_TASK");
    await refused(() => sky.isHead(), "SKY_NOT_IN_TASK");
    await refused(() => sky.shard([1, 2]), "SKY_NOT_IN_TASK");
  });

  await point("the pool still works", async () => assert.equal(await pool.run(add(1, 2)), 3));
});
