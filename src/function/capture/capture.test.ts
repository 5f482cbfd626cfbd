import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildHarness, removeHarness, runCases, WAYS } from "../../../test/fixtures/capture/support/projects.ts";

let harness = "";
beforeAll(async () => {
  harness = await buildHarness();
});
afterAll(() => removeHarness(harness));

describe.each(WAYS)("%s", (way) => {
  test("every function gives there what it gives here", { timeout: 60_000 }, async () => {
    const results = await runCases(way, "basics.ts", harness);
    expect(results.length).toBeGreaterThan(30);
    const there = results.map(({ name, here, there, refused }) => ({ name, outcome: there ?? refused }));
    const here = results.map(({ name, here }) => ({ name, outcome: here }));
    expect(there).toEqual(here);
  });
});
