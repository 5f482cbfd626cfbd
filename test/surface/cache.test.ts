import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runProgram } from "../support/program.ts";

test("functions whose results are kept", async () => {
  const dir = await mkdtemp(join(tmpdir(), "sky-results-"));
  try {
    const { code, points, report } = await runProgram("test/surface/programs/cache.ts", { args: [dir] });
    expect(points, report).toEqual([
      "map, run, gather, starmap: a call that was answered runs no more",
      "such a task says so, and so do events",
      "other captured values, other code: other results",
      "errors are not kept, undefined is",
      "a class comes back as itself, a large result whole",
      "what calls share, and what is large, counts byte by byte",
      "broadcast and target run; so does a call that says no, or brings its own function",
      "streams are refused, in and out",
      "what is kept is the user's alone; a folder that others can write is refused",
      "a ttl, wrong options",
      "cancelled while it is looked up, or aborted before",
      "another pool finds it all",
      "10,000 that are known take no slot, and little time",
      "what is damaged or cut off runs again, and nothing else",
    ]);
    expect(code, report).toBe(0);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
