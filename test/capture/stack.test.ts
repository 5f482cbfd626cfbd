import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { SmallProject } from "../support/small-project.ts";

const FILES = {
  "src/model.ts": `export interface Wide {
  readonly a: number;
}

export function model(x: Wide): number {
  const never: Wide = x; throw new RangeError(\`no \${never.a}\`);
}
`,
  "src/main.ts": `import * as sky from "skyward";
import { model, type Wide } from "./model.ts";

type Numbers = readonly number[];
const inner = (x: Wide): number => 1 + model(x);
const train = sky.fn((x: number, _more: Numbers) =>
  inner({ a: x }));
await sky.compute({ nodes: 1, console: "silent" }, async (pool) => {
  const error: Error = await pool.run(train(1, [])).then(() => new Error("none"), (thrown: Error) => thrown);
  console.log(error.stack);
});
`,
};

test("a stack leads to the user's lines and columns, also where all files come from the cache", async () => {
  using project = new SmallProject(FILES);
  const cache = mkdtempSync(join(tmpdir(), "sky-stack-"));
  try {
    const tsx = pathToFileURL(join(import.meta.dirname, "../../node_modules/tsx/dist/loader.mjs")).href;
    const run = async (): Promise<string[]> => {
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ["--conditions=skyward:source", "--import", tsx, "src/main.ts"],
        { cwd: project.root, env: { ...process.env, XDG_CACHE_HOME: cache } },
      );
      return stdout.trim().split("\n");
    };
    const at = (file: string): string => join(project.root, "src", file);
    const stack = [
      "RangeError: no 1",
      `    at model (${at("model.ts")}:6:32)`,
      `    at inner (${at("main.ts")}:5:40)`,
      expect.stringMatching(new RegExp(`^    at .*${at("main.ts")}:7:3\\)?$`)),
    ];
    expect(await run()).toEqual(stack);
    const kept = readdirSync(cache, { recursive: true });
    expect(kept.length).toBeGreaterThan(5);
    expect(await run()).toEqual(stack);
    expect(readdirSync(cache, { recursive: true })).toEqual(kept);
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
});
