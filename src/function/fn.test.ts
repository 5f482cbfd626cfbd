import { describe, expect, expectTypeOf, test } from "vitest";
import { type Fn, fn, type GenericFn } from "./fn.ts";
import { gather, type Group, isGroup, membersOf } from "./group.ts";
import type { FnOptions } from "./options.ts";
import { argsOf, fnOf, isPending, optionsOf, type Pending } from "./pending.ts";
import type { Stream } from "./stream.ts";

const train = fn(async (lr: number, epochs = 1) => ({ lr, epochs }), { timeout: "10m" });
const label = fn((n: number) => `n${n}`);

describe("a function", () => {
  test("gives a frozen description when it is called, and runs nothing", () => {
    let runs = 0;
    const counted = fn((x: number) => (runs += x));
    const pending = counted(2);
    expect(runs).toBe(0);
    expect(isPending(pending)).toBe(true);
    expect(Object.isFrozen(pending)).toBe(true);
    expect("then" in pending).toBe(false);
    expect(fnOf(pending)).toBe(counted);
    expect(argsOf(pending)).toEqual([2]);
  });

  test("runs here with local, and so does a pending", async () => {
    expect(await train.local(0.1)).toEqual({ lr: 0.1, epochs: 1 });
    expect(await train(0.2, 3).local()).toEqual({ lr: 0.2, epochs: 3 });
  });

  test("takes options, and others on top of them", () => {
    expect(optionsOf(train(1))).toEqual({ timeoutMs: 600_000 });
    expect(optionsOf(train.with({ silent: true })(1))).toEqual({ timeoutMs: 600_000, silent: true });
    const pending = train(1);
    const other = pending.with({ timeout: "1s", queueTimeout: "1m30s", rerun: "never", retry: 3, stdout: "head" });
    expect(optionsOf(other)).toEqual({
      timeoutMs: 1000,
      queueTimeoutMs: 90_000,
      rerun: "never",
      retry: { times: 3, delayMs: 0 },
      stdout: "head",
    });
    expect(optionsOf(pending)).toEqual({ timeoutMs: 600_000 });
    expect(fnOf(other)).toBe(fnOf(pending));
    expect(optionsOf(label(1).with({ retry: "5s" })).retry).toEqual({ times: 3, delayMs: 5000 });
  });

  test("of a function is the function itself", () => {
    expect(fn(train as never)).toBe(train);
  });

  test("is named by its own name, its option, its variable, its property, or its place", () => {
    function own() {
      return 1;
    }
    const held = { inner: fn(() => 1) };
    expect(fn(own).name).toBe("own");
    expect(fn(() => 1, { name: "given" }).name).toBe("given");
    expect(train.name).toBe("train");
    expect(held.inner.name).toBe("inner");
    expect([fn(() => 1)][0]!.name).toMatch(/^fn\.test\.ts:\d+$/);
    expect(train.with({ name: "other" }).name).toBe("other");
  });

  test.each([
    [{ timout: "1s" }, "SKY_BAD_OPTION", /no option "timout"; did you mean "timeout"\?/],
    [{ colour: 1 }, "SKY_BAD_OPTION", /there are timeout, queueTimeout/],
    [{ timeout: 600 }, "SKY_BAD_DURATION", /timeout is the bare number 600.*"600s"/],
    [{ timeout: "0s" }, "SKY_BAD_DURATION", /more than no time/],
    [{ stdout: "tail" }, "SKY_BAD_OPTION", /stdout must be "head", or a predicate; got "tail"/],
    [{ retry: -1 }, "SKY_BAD_OPTION", /retry must be/],
    [{ rerun: "always" }, "SKY_BAD_OPTION", /rerun must be "lost" or "never"/],
    [{ silent: 1 }, "SKY_BAD_OPTION", /true or false/],
    [{ name: "" }, "SKY_BAD_OPTION", /name must be a text/],
    [{ include: "a" }, "SKY_BAD_OPTION", /list of texts/],
    [null, "SKY_BAD_OPTION", /must be an object/],
  ])("refuses %j", (options, code, message) => {
    expect(() => fn(() => 1, options as FnOptions)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });

  test("refuses a body that is none", () => {
    expect(() => fn(42 as never)).toThrow(expect.objectContaining({ code: "SKY_BAD_CALL" }));
    class Model {}
    expect(() => fn(Model as never)).toThrow(/got the class Model/);
  });

  test("a pending costs at most 120 bytes", () => {
    const { gc } = globalThis;
    const measure = (): number => (gc?.(), process.memoryUsage().heapUsed);
    const kept: unknown[] = new Array(100_000);
    const before = measure();
    for (let i = 0; i < kept.length; i++) kept[i] = label(i);
    // Without --expose-gc garbage counts as well, so the bound is looser.
    expect((measure() - before) / kept.length).toBeLessThan(gc === undefined ? 400 : 130);
    expect(kept).toHaveLength(100_000);
  });
});

describe("a group", () => {
  test("keeps its members, from arguments and from any iterable", () => {
    const one = gather(train(1), label(2));
    expect(isGroup(one)).toBe(true);
    expect(Object.isFrozen(one)).toBe(true);
    expect(one).toHaveLength(2);
    expect(membersOf(gather(new Set([label(1), label(2), label(3)]))).map((pending) => argsOf(pending))).toEqual([
      [1],
      [2],
      [3],
    ]);
    expect(membersOf(gather(label(1)))).toHaveLength(1);
    expect(membersOf(gather([]))).toHaveLength(0);
  });

  test("passes options on to each", () => {
    const group = gather(train(1), label(2)).with({ timeout: "1s" });
    expect(membersOf(group).map((pending) => optionsOf(pending).timeoutMs)).toEqual([1000, 1000]);
  });

  test("says what is in the place of a pending", () => {
    expect(() => gather(label(1), label as never)).toThrow(/item 1 is the function label, not a call of it/);
    expect(() => gather([label(1), Promise.resolve()] as never)).toThrow(/item 1 is a promise/);
  });
});

describe("types", () => {
  test("results are what the body gives, awaited", () => {
    expectTypeOf(train).toEqualTypeOf<Fn<[lr: number, epochs?: number], Promise<{ lr: number; epochs: number }>>>();
    expectTypeOf(train(1)).toEqualTypeOf<Pending<{ lr: number; epochs: number }>>();
    expectTypeOf(train.local(1)).toEqualTypeOf<Promise<{ lr: number; epochs: number }>>();
    expectTypeOf(train(1).with({})).toEqualTypeOf<Pending<{ lr: number; epochs: number }>>();
    expectTypeOf(fn(() => {})()).toEqualTypeOf<Pending<void>>();
  });

  test("wrong arguments do not compile", () => {
    // @ts-expect-error a text is not a number
    train("a");
    // @ts-expect-error one too many
    label(1, 2);
    // @ts-expect-error one too few
    label();
    // @ts-expect-error what a parameter is must be said
    fn((x) => x);
    // @ts-expect-error no such option
    expect(() => fn(() => 1, { timout: "1s" })).toThrow(/timout/);
    // @ts-expect-error a bare number
    expect(() => fn(() => 1, { timeout: 600 })).toThrow(/bare number/);
  });

  test("a pending can't be awaited by mistake", () => {
    expectTypeOf<Awaited<Pending<number>>>().toEqualTypeOf<Pending<number>>();
    expectTypeOf<Pending<number>>().not.toExtend<Pending<string>>();
    expectTypeOf<Pending<1>>().toExtend<Pending<number>>();
  });

  test("type parameters stay", () => {
    const first = fn(<T>(list: T[]) => list[0]!);
    expectTypeOf(first([1, 2])).toEqualTypeOf<Pending<number>>();
    expectTypeOf(first(["a"])).toEqualTypeOf<Pending<string>>();
    const pick = fn(async <T extends object, K extends keyof T>(value: T, key: K) => value[key], { timeout: "1s" });
    expectTypeOf(pick({ a: 1, b: "x" }, "b")).toEqualTypeOf<Pending<string>>();
    // TypeScript loses type parameters on a type with members, so these functions have none; their calls do.
    expectTypeOf(first).toExtend<GenericFn<[number[]], number>>();
    expectTypeOf(first([1]).local).returns.toEqualTypeOf<number | Promise<number>>();
  });

  test("generators give streams", () => {
    const numbers = fn(async function* (n: number) {
      yield n;
    });
    expectTypeOf(numbers(1)).toEqualTypeOf<Pending<Stream<number>>>();
    const words = fn(function* () {
      yield "a";
    });
    expectTypeOf(words()).toEqualTypeOf<Pending<Stream<string>>>();
  });

  test("a group is a tuple, or a list", () => {
    expectTypeOf(gather(train(1), label(2))).toEqualTypeOf<Group<[{ lr: number; epochs: number }, string]>>();
    expectTypeOf(gather([label(1), label(2)])).toEqualTypeOf<Group<string[]>>();
    const list = [label(1)];
    expectTypeOf(gather(...list)).toEqualTypeOf<Group<string[]>>();
    // @ts-expect-error a function is not a call of it
    expect(() => gather(label)).toThrow(/not a call/);
  });
});
