import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  buildHarness,
  installJest,
  removeHarness,
  type Result,
  runCases,
  type Way,
} from "../fixtures/capture/support/projects.ts";
import { nodeOfMajor } from "../package/npm.ts";

let harness = "";
beforeAll(async () => {
  harness = await buildHarness();
  await installJest();
}, 180_000);
afterAll(() => removeHarness(harness));

async function expectSame(way: Way, file: string, node?: string): Promise<void> {
  const results: Result[] = await runCases(way, file, harness, node);
  const outcomes = results.map(({ name, there, refused }) => ({ name, outcome: there ?? refused }));
  expect(outcomes).toEqual(results.map(({ name, here }) => ({ name, outcome: here })));
}

describe.each(["vitest", "jest", "ts-jest", "worker"] as const)("functions of a program in %s", (way) => {
  test.each(["basics.ts", "traps.ts", "classes.ts"])("%s", (file) => expectSame(way, file));
});

describe.each([22, 24])("functions of a program on Node %i", (major) => {
  test.each(["tsx-esm", "node-cjs", "bundle", "vitest"] as const)("%s", async (way) => {
    const node = await nodeOfMajor(major);
    for (const file of ["basics.ts", "traps.ts", "classes.ts"]) await expectSame(way, file, node);
  });
});

describe("functions that ship by file and export", () => {
  test.each(["tsx-esm", "tsx-cjs"] as const)("%s", (way) => expectSame(way, "by-module.ts"));
});
