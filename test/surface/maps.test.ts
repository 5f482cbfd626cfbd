import { expect, test } from "vitest";
import { runProgram } from "../support/program.ts";

test("map and starmap", async () => {
  const { code, points, report } = await runProgram("test/surface/programs/maps.ts");
  expect(points, report).toEqual([
    "map over sky.fn, a plain function, an arrow",
    "an item is the argument, arrays too",
    "starmap spreads",
    "items: a typed array, typed arrays, objects, texts, undefined",
    "large results and arguments come back whole",
    "100,000 items",
    "no items",
    "items from a generator, a Map, and an async generator",
    "items that are changed later have been taken as they were",
    "an endless generator is pulled within a window",
    "an endless generator is closed when its reader leaves",
    "an async source that waits is let go when the batch is cancelled",
    "a source that throws fails the batch after what it gave",
    "iterated in order while the first is slow",
    "unordered: as they come",
    "settled loses nothing",
    "awaited, the first failure rejects; iterated, those before it are given",
    "an argument that can't travel fails its own task only",
    "a run beside a map does not wait for it",
  ]);
  expect(code, report).toBe(0);
});
