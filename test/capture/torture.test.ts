import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { install } from "../fixtures/torture/support/installed.ts";
import { buildPackage, type Report, torture } from "../fixtures/torture/support/ways.ts";
import { nodeOfMajor } from "../package/npm.ts";

let own = "";
beforeAll(async () => {
  await install();
  own = await buildPackage();
}, 300_000);
afterAll(() => rmSync(own, { recursive: true, force: true }));

/** Every case holds, and there are as many as there should be. */
function expectAll({ names, problems }: Report, atLeast: number): void {
  expect(problems).toEqual([]);
  expect(names.length).toBeGreaterThanOrEqual(atLeast);
}

describe("what a function may be and take with it", { timeout: 120_000 }, () => {
  test.each(["tsx-esm", "tsx-cjs", "node-esm", "node-cjs", "bundle", "minified", "vitest"] as const)(
    "in a program by %s",
    async (way) => expectAll(await torture(way, own), 300),
  );

  const some = ["forms", "variables", "classes", "changes", "imports", "identity"];
  test("with large packages that look for files of their own", async () =>
    expectAll(await torture("tsx-esm", own, process.execPath, ["heavy"]), 3));

  test("in a worker thread, a part", async () => expectAll(await torture("worker", own, process.execPath, some), 120));

  test.each([22, 24])("on Node %i, a part", async (major) => {
    const node = await nodeOfMajor(major);
    expectAll(await torture("tsx-esm", own, node, [...some, "data", "packages"]), 160);
    if (major > 22)
      expectAll(await torture("stripped", own, node, ["forms", "places", "variables", "imports", "secrets"]), 110);
  });
});
