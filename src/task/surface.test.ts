import { afterEach, describe, expect, it } from "vitest";
import { currentTask, runInTask, setCurrentTask, task, type TaskContext, useAsyncContext } from "./context.ts";
import { facts } from "./facts.fixture.ts";
import { setInstanceInfo } from "./instance-info.ts";
import * as sky from "./index.ts";
import { disposeOnce } from "./once.ts";

const context = (id: string): TaskContext => ({
  id,
  attempt: 1,
  slot: 0,
  signal: new AbortController().signal,
  progress() {},
});

afterEach(() => {
  useAsyncContext(false);
  setCurrentTask(undefined);
  setInstanceInfo(undefined);
});

describe("the current task", () => {
  it("is refused outside a task", () => {
    expect(() => task()).toThrow(expect.objectContaining({ code: "SKY_NOT_IN_TASK" }));
    expect(() => sky.instanceInfo()).toThrow(expect.objectContaining({ code: "SKY_NOT_IN_TASK" }));
    expect(() => sky.isHead()).toThrow(expect.objectContaining({ code: "SKY_NOT_IN_TASK" }));
  });

  it("is a plain variable for one slot", async () => {
    const one = context("one");
    expect(runInTask(one, () => task().id)).toBe("one");
    expect(currentTask()).toBeUndefined();
    const later = runInTask(one, async () => {
      await Promise.resolve();
      return task().id;
    });
    expect(currentTask()).toBe(one);
    expect(await later).toBe("one");
    expect(currentTask()).toBeUndefined();
    expect(() =>
      runInTask(one, () => {
        throw new RangeError("x");
      }),
    ).toThrow(RangeError);
    expect(currentTask()).toBeUndefined();
    setCurrentTask(one);
    expect(task()).toBe(one);
  });

  it("is told apart through awaits where slots share a thread", async () => {
    useAsyncContext(true);
    const ids = await Promise.all(
      ["a", "b", "c"].map((id) =>
        runInTask(context(id), async () => {
          const seen = [task().id];
          for (let i = 0; i < 3; i++) {
            await new Promise(setImmediate);
            seen.push(task().id);
          }
          return seen.join("");
        }),
      ),
    );
    expect(ids).toEqual(["aaaa", "bbbb", "cccc"]);
    expect(currentTask()).toBeUndefined();
  });
});

describe("instanceInfo", () => {
  it("has what can be computed, and follows a resize", () => {
    setInstanceInfo(facts({ node: 1, worker: 1, totalNodes: 2, workersPerNode: 2 }));
    expect(sky.instanceInfo()).toMatchObject({ globalWorkerIndex: 3, totalWorkers: 4, isHead: false });
    setInstanceInfo(facts({ totalNodes: 3 }));
    expect(sky.instanceInfo()).toMatchObject({ totalNodes: 3, totalWorkers: 3, isHead: true });
    expect(Object.isFrozen(sky.instanceInfo())).toBe(true);
  });

  it("has one head in the pool: node 0, worker 0", () => {
    const workers = [0, 1].flatMap((node) => [0, 1].map((worker) => ({ node, worker })));
    expect(workers.filter((info) => sky.isHead(info))).toEqual([{ node: 0, worker: 0 }]);
    setInstanceInfo(facts({ worker: 1, workersPerNode: 2 }));
    expect(sky.isHead()).toBe(sky.instanceInfo().isHead);
  });
});

describe("once", () => {
  it("makes lazily and once, and disposes the newest first", async () => {
    const order: string[] = [];
    const thing = (name: string) => ({ name, [Symbol.dispose]: () => order.push(`dispose ${name}`) });
    const a = sky.once(() => (order.push("make a"), thing("a")));
    const b = sky.once(
      async () => (
        order.push("make b"),
        { ...thing("b"), [Symbol.asyncDispose]: async () => void order.push("async dispose b") }
      ),
    );
    const unused = sky.once(() => order.push("never"));
    expect(order).toEqual([]);
    expect(a()).toBe(a());
    expect(await b()).toBe(await b());
    await disposeOnce();
    expect(order).toEqual(["make a", "make b", "async dispose b", "dispose a"]);
    expect(unused).toBeTypeOf("function");
  });

  it("tries again after a failure, and disposes all though one refuses", async () => {
    let tries = 0;
    const flaky = sky.once(async () => {
      if (++tries === 1) throw new Error("not yet");
      return tries;
    });
    await expect(flaky()).rejects.toThrow("not yet");
    expect(await flaky()).toBe(2);
    const order: string[] = [];
    sky.once(() => ({ [Symbol.dispose]: () => order.push("first") }))();
    sky.once(() => ({
      [Symbol.dispose]() {
        throw new Error("refuses");
      },
    }))();
    await expect(disposeOnce()).rejects.toThrow(AggregateError);
    expect(order).toEqual(["first"]);
    await disposeOnce();
  });
});

describe("the rest of the surface on a node", () => {
  it("describes calls that .local runs", () => {
    const add = sky.fn((a: number, b: number) => a + b, { name: "sum" });
    expect(add.local(1, 2)).toBe(3);
    const call = add(2, 3);
    expect(call).not.toHaveProperty("then");
    expect(Object.isFrozen(call)).toBe(true);
    expect(call.with({ timeout: "1s" }).local()).toBe(5);
    expect(add.with({ timeout: "1s" }).local(3, 4)).toBe(7);
    expect(add.name).toBe("sum");
    expect(() => add.explain()).toThrow(expect.objectContaining({ code: "SKY_NOT_ON_NODE" }));
    expect(sky.fn(add as never, { name: "again" }).name).toBe("again");
    expect(sky.gather(call, call).length).toBe(2);
    expect(sky.gather([call]).with({}).length).toBe(1);
  });

  it.each([sky.compute, sky.session, sky.connect])("refuses to open a pool: $name", (call) => {
    expect(() => call()).toThrow(expect.objectContaining({ code: "SKY_ON_NODE" }));
  });

  it.each([sky.local, sky.ssh])("refuses what belongs to the controller: $name", (call) => {
    expect(() => call()).toThrow(
      expect.objectContaining({ code: "SKY_NOT_ON_NODE", message: expect.stringContaining(call.name) }),
    );
  });
});
