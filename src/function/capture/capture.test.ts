import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  buildHarness,
  removeHarness,
  type Result,
  runCases,
  runProgram,
  WAYS,
} from "../../../test/fixtures/capture/support/projects.ts";

let harness = "";
beforeAll(async () => {
  harness = await buildHarness();
});
afterAll(() => removeHarness(harness));

const outcomes = (results: readonly Result[]): object[] =>
  results.map(({ name, there, refused }) => ({ name, outcome: there ?? refused }));
const wanted = (results: readonly Result[]): object[] => results.map(({ name, here }) => ({ name, outcome: here }));

test("CommonJS that was written by hand", { timeout: 60_000 }, async () => {
  const results = await runCases("node-cjs", "plain.cjs", harness);
  expect(outcomes(results)).toEqual(wanted(results));
});

test.each(["tsx-esm", "tsx-cjs"] as const)("what only %s takes", { timeout: 60_000 }, async (way) => {
  const results = await runCases(way, "assets.ts", harness);
  expect(outcomes(results)).toEqual(wanted(results));
});

test.each(["tsx-esm", "tsx-cjs"] as const)("files that no import names, in %s", { timeout: 60_000 }, async (way) => {
  const results = await runCases(way, "files.ts", harness);
  expect(outcomes(results)).toEqual(wanted(results));
});

test.each(["tsx-esm", "tsx-cjs", "node-esm"] as const)(
  "what would go wrong in silence, in %s",
  { timeout: 60_000 },
  async (way) => {
    const results = new Map((await runCases(way, "refused-traps.ts", harness)).map((result) => [result.name, result]));
    const refused = (name: string): string => `${results.get(name)!.code} ${results.get(name)!.refused}`;
    const file = way === "node-esm" ? "refused-traps" : "refused-traps.ts:31";
    expect(refused("import() of anything")).toMatch(
      new RegExp(`^SKY_CAPTURE_UNSUPPORTED train can't be sent: what this import\\(\\) loads[^]*src/${file}`),
    );
    expect(results.get("import() of anything")!.hint).toContain("include");
    expect(refused("import() of anything in an own module")).toMatch(/src\/loads-anything\.\w+:\d+:\d+$/);
    expect(refused("include that names nothing")).toMatch(/^SKY_CAPTURE_UNRESOLVED .*"\.\/nowhere\/\*\.ts"/);
    expect(refused("a path of this machine in an object")).toMatch(/train -> derived holds paths of this machine/);
    expect(refused("functions of a loop that share a variable or not")).toMatch(/-> count is assigned by several/);
    expect(refused("a getter on a function")).toMatch(/train -> guarded -> state is a getter/);
    expect(refused("the program itself")).toMatch(/imports .*src\/main\.\w+, which would run your program on the node/);
  },
);

describe.each(WAYS)("%s", { timeout: 60_000 }, (way) => {
  test("every function gives there what it gives here", async () => {
    const results = await runCases(way, "basics.ts", harness);
    expect(results.length).toBeGreaterThan(30);
    expect(outcomes(results)).toEqual(wanted(results));
  });

  test("what is not in the function's own text", async () => {
    const results = await runCases(way, "traps.ts", harness);
    expect(outcomes(results)).toEqual(wanted(results));
  });

  test("functions and own modules share classes, symbols and clients", async () => {
    const results = await runCases(way, "classes.ts", harness);
    expect(outcomes(results)).toEqual(wanted(results));
  });

  test("of an object, what is read travels and nothing beside it", async () => {
    const { printed } = await runProgram(way, "secrets.ts", harness);
    const { whole, called, computed, ...parts } = printed as Record<string, boolean>;
    expect([whole, called, computed]).toEqual([true, true, true]);
    expect(Object.entries(parts).filter(([, leaks]) => leaks)).toEqual([]);
    expect(Object.keys(parts)).toHaveLength(9);
  });

  test("what can't travel is refused with the way to it, file and line", async () => {
    const results = new Map((await runCases(way, "refused.ts", harness)).map((result) => [result.name, result]));
    const refused = (name: string): Result => results.get(name)!;
    expect(refused("a socket, two steps away")).toMatchObject({
      code: "SKY_CAPTURE_UNSERIALIZABLE",
      // A minified program has no names left to show.
      refused: expect.stringMatching(
        way === "minified"
          ? /^train can't be sent: train -> \w+ -> \w+ -> socket \(net\.Socket\)/
          : /^train can't be sent: train -> helper -> config -> socket \(net\.Socket\)/,
      ),
      hint: expect.stringMatching(/inside the function/),
    });
    expect(refused("a socket, two steps away").refused).toMatch(/src\/refused\.ts:25:\d+/);
    expect(refused("a server").refused).toMatch(/\(net\.Server\)/);
    expect(refused("a stream").refused).toMatch(/\(stream\.PassThrough\)/);
    expect(refused("a promise").refused).toMatch(/\(Promise\).*no value yet/);
    expect(refused("a proxy").refused).toMatch(/\(Proxy\)/);
    expect(refused("a WeakMap").refused).toMatch(/\(WeakMap\)/);
    expect(refused("a generator in flight").refused).toMatch(/in the middle of its run/);
    expect(refused("private fields")).toMatchObject({
      refused: expect.stringContaining("private fields"),
      hint: expect.stringContaining("sky.codec"),
    });
    expect(refused("the this of an arrow").refused).toMatch(/-> this means the this of the code around/);
    expect(refused("text that was made at run time")).toMatchObject({
      code: "SKY_CAPTURE_UNSUPPORTED",
      refused: expect.stringContaining("at run time"),
    });
    expect(refused("an instance of a package's class").refused).toMatch(/ZodObject|code of a package/);
  });

  test("values are read at each call, and only what can change", async () => {
    const { printed } = await runProgram(way, "changing.ts", harness);
    const value = (name: string): unknown => (way === "minified" ? expect.anything() : name);
    expect(printed).toMatchObject({
      name: [value("varying"), value("constant")],
      sameCode: true,
      sameConstant: true,
      withoutValues: true,
      newFunction: true,
      newEntry: true,
      early: expect.stringMatching(/^SKY_CAPTURE_UNSUPPORTED.*has no value yet/s),
      computed: expect.stringMatching(/^SKY_CAPTURE_UNSUPPORTED.*has no value yet/s),
      later: "captured",
    });
    if (way !== "minified")
      expect(printed).toMatchObject({
        first: 1,
        second: { rate: 2, config: { layers: [1, 2] } },
        late: { late: { set: true } },
      });
  });

  test("a stack leads to the user's lines", async () => {
    const { printed, project } = await runProgram(way, "stack.ts", harness);
    const [inEntry, inFile] = printed as { file: string; line: number; stack: string; raw: string }[];
    const main = `${project}/src/main.ts`;
    expect(inEntry).toMatchObject({ file: main, line: 13 });
    const frames = inEntry!.stack.split("\n").filter((line) => line.startsWith("    at "));
    expect(frames[0]).toMatch(new RegExp(`^    at (middle|\\w+) \\(${main}:10:\\d+\\)$`));
    expect(frames[1]).toMatch(new RegExp(`${main}:15:\\d+\\)?$`));
    expect(frames).toHaveLength(2);
    const thrown = inFile!.stack.split("\n");
    expect(thrown[0]).toBe("RangeError: exploded with undefined");
    expect(thrown[1]).toMatch(new RegExp(`at (inner|\\w+) \\(${project}/src/explode\\.ts:7:\\d+\\)$`));
  });
});
