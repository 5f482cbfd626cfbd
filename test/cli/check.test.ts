import { execFile } from "node:child_process";
import { build } from "esbuild";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SmallProject } from "../support/small-project.ts";

const repository = join(import.meta.dirname, "../..");

interface End {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The CLI as it is in a checkout. */
const SOURCE = [
  "--conditions=skyward:source",
  "--import",
  join(repository, "node_modules/tsx/dist/loader.mjs"),
  join(repository, "src/cli/main.ts"),
];

function run(command: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}): Promise<End> {
  const clean = { PATH: process.env["PATH"], HOME: process.env["HOME"], ...env };
  return new Promise((resolve) => {
    execFile(process.execPath, [...command], { cwd, env: clean, maxBuffer: 1 << 24 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

const FILES = {
  "clean.ts": `
import * as sky from "skyward";
import { z } from "zod";
enum Unit { Kilo = 1000 }
export const parse = sky.fn((text: string): number => z.coerce.number().parse(text) * Unit.Kilo);
export const other = sky.fn((x: number) => x);
`,
  "refused.ts": `
import { createServer } from "node:net";
import * as sky from "skyward";
const holder = { server: createServer() };
export const listening = sky.fn(() => holder.server.listening);
`,
  "program.ts": `
import * as sky from "skyward";
console.log("a word of its own");
const rate = Number(process.argv[2] ?? 0.5);
const train = sky.fn((x: number) => x * rate);
try {
  await sky.compute({ nodes: 2 }, (pool) => pool.run(train(1)));
} catch {
  console.log("caught");
} finally {
  console.log("behind the pool");
}
export const late = sky.fn(() => 2);
`,
  "serves.ts": `
import { createServer } from "node:http";
import * as sky from "skyward";
const train = sky.fn((x: number) => x);
async function main() {
  await sky.session().compute({}, (pool) => pool.run(train(1)));
}
void main();
createServer().listen(0);
export const behind = sky.fn((x: number) => x + 1);
`,
  "leaves.mjs": 'import * as sky from "skyward";\nexport const f = sky.fn(() => 1);\nprocess.exit(4);\n',
  "old.cjs":
    'const sky = require("skyward");\nconst { chunk } = require("lodash");\nexports.f = sky.fn((n) => chunk([n], 1));\n',
  "throws.ts": 'import * as sky from "skyward";\nsky.fn(() => 1, { timeuot: "1s" } as never);\n',
  "none.js": "export const x = 1;\n",
};

let project: SmallProject;
beforeAll(() => {
  project = new SmallProject(FILES, { packages: ["zod", "lodash", "tsx"] });
});
afterAll(() => project[Symbol.dispose]());

const sky = (...args: readonly string[]): Promise<End> => run([...SOURCE, ...args], project.root);

interface Json {
  readonly ok: boolean;
  readonly file: string;
  readonly opens?: string;
  readonly functions: readonly {
    readonly name: string;
    readonly refused?: { readonly code: string; readonly hint: string };
  }[];
  readonly failure?: { readonly code: string };
}
const names = (end: End): string[] => (JSON.parse(end.stdout) as Json).functions.map((item) => item.name);

describe.concurrent("sky check", { timeout: 60_000 }, () => {
  test("shows every function of a file that can be sent, and exits with 0", async () => {
    const { code, stdout, stderr } = await sky("check", "clean.ts");
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^parse {2}clean\.ts:5$/m);
    expect(stdout).toMatch(/^ {4}zod +4\.\S+ +\d+ +[\d.]+ kB {2}parse -> zod$/m);
    expect(stdout).toMatch(/^other {2}clean\.ts:6$/m);
    expect(stdout).toMatch(/^2 can be sent$/m);
    expect(code).toBe(0);
  });

  test("tells why a function is refused, where, and what to do, and exits with 1", async () => {
    const { code, stdout } = await sky("check", "refused.ts");
    expect(stdout).toContain("refused [SKY_CAPTURE_UNSERIALIZABLE]");
    expect(stdout).toContain("listening -> holder -> server (net.Server)");
    expect(stdout).toMatch(/at \S+refused\.ts:5:\d+/);
    expect(stdout).toContain("inside the function");
    expect(stdout).toMatch(/^1 refused$/m);
    expect(code).toBe(1);
  });

  test("--json prints one document, for refusals too; what the file prints is not in it", async () => {
    const [clean, refused, program] = await Promise.all(
      ["clean.ts", "refused.ts", "program.ts"].map((file) => sky("check", file, "--json")),
    );
    expect(JSON.parse(clean!.stdout)).toMatchObject({
      file: join(project.root, "clean.ts"),
      ok: true,
      functions: [{ name: "parse", line: 5, bytes: { raw: expect.any(Number) as number } }, { name: "other" }],
    });
    expect((JSON.parse(refused!.stdout) as Json).functions[0]?.refused).toMatchObject({
      code: "SKY_CAPTURE_UNSERIALIZABLE",
      hint: expect.stringContaining("inside the function") as string,
    });
    expect([clean!.code, refused!.code]).toEqual([0, 1]);
    expect(names(program!)).toEqual(["train"]);
    expect(program!.stderr).toBe("a word of its own\n");
  });

  test("runs a file up to its pool, and nothing behind it: no handler, no finally", async () => {
    const { code, stdout, stderr } = await sky("check", "program.ts");
    expect(stdout).toMatch(/^ {4}rate +number +\d+ B {2}train -> rate$/m);
    expect(stdout).toContain("the file ran up to its pool (program.ts:7)");
    expect(stderr).toBe("a word of its own\n");
    expect(code).toBe(0);
  });

  test("ends with the file's evaluation when a server keeps the file alive", async () => {
    expect(names(await sky("check", "serves.ts", "--json"))).toEqual(["train", "behind"]);
  });

  test("a file that leaves has its functions checked first", async () => {
    const { code, stdout } = await sky("check", "leaves.mjs");
    expect(stdout).toMatch(/^f {2}leaves\.mjs:2$/m);
    expect(code).toBe(0);
  });

  test("takes CommonJS", async () => {
    const { code, stdout } = await sky("check", "old.cjs");
    expect(stdout).toMatch(/^ {4}lodash .* f -> lodash$/m);
    expect(code).toBe(0);
  });

  test("--function checks one alone, and knows what was meant", async () => {
    expect(names(await sky("check", "clean.ts", "--function", "other", "--json"))).toEqual(["other"]);
    const { code, stderr } = await sky("check", "clean.ts", "--function", "parce");
    expect(stderr).toContain("made no function parce; did you mean parse?");
    expect(code).toBe(1);
  });

  test("a file that fails is told with its error and its line", async () => {
    const { code, stderr } = await sky("check", "throws.ts");
    expect(stderr).toContain('SkyError: A function has no option "timeuot"; did you mean "timeout"? [SKY_BAD_OPTION]');
    expect(stderr).toMatch(/throws\.ts:2/);
    expect(code).toBe(1);
  });

  test("a file without functions, or none at all, is an error", async () => {
    const none = await sky("check", "none.js");
    expect(none.stderr).toContain("none.js made no function with sky.fn");
    expect(none.code).toBe(1);
    const missing = await sky("check", "nowhere.ts");
    expect(missing.stderr).toContain("there is no file nowhere.ts");
    expect(missing.code).toBe(2);
  });
});

describe.concurrent("sky", { timeout: 60_000 }, () => {
  test("refuses flags and commands that it doesn't know, and names the nearest", async () => {
    const flag = await sky("check", "clean.ts", "--jsn");
    expect(flag).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining("did you mean --json?") as string,
    });
    const command = await sky("chek", "clean.ts");
    expect(command).toMatchObject({ code: 2, stderr: expect.stringContaining("did you mean `check`?") as string });
  });

  test("--help has examples", async () => {
    const { code, stdout } = await sky("check", "--help");
    expect(stdout).toContain("sky check src/train.ts --json");
    expect(code).toBe(0);
  });

  test("colours are for terminals, or for who asks", async () => {
    const escape = "\u001b[";
    const file = ["check", "clean.ts", "--function", "other"];
    expect((await sky(...file)).stdout).not.toContain(escape);
    expect((await run([...SOURCE, ...file], project.root, { FORCE_COLOR: "1" })).stdout).toContain(escape);
    expect((await run([...SOURCE, ...file], project.root, { NO_COLOR: "1" })).stdout).not.toContain(escape);
  });
});

describe("the CLI as it is built", { timeout: 60_000 }, () => {
  const own = join(repository, ".cache/cli-tests", String(process.pid));
  const cli = join(own, "dist/cli.js");
  let untyped: SmallProject;

  beforeAll(async () => {
    await build({
      entryPoints: {
        index: join(repository, "src/index.ts"),
        cli: join(repository, "src/cli/main.ts"),
        "check-child": join(repository, "src/cli/check/child.ts"),
        "check-register": join(repository, "src/cli/check/typescript/register.ts"),
        "check-hooks": join(repository, "src/cli/check/typescript/hooks.ts"),
      },
      outdir: join(own, "dist"),
      bundle: true,
      splitting: true,
      format: "esm",
      platform: "node",
      packages: "external",
      target: "node20.19",
      chunkNames: "chunks/[name]-[hash]",
      logLevel: "error",
    });
    mkdirSync(own, { recursive: true });
    writeFileSync(
      join(own, "package.json"),
      '{"name":"skyward","version":"9.8.7","type":"module","exports":"./dist/index.js"}',
    );
    untyped = new SmallProject(
      {
        ...FILES,
        "old/package.json": "{}",
        "old/main.ts":
          'import * as sky from "skyward";\nimport { chunk } from "lodash";\nimport { help } from "./help.js";\nexport const old = sky.fn((n: number) => chunk([help(n)], 1));\n',
        "old/help.ts": "enum A { X = 2 }\nexport const help = (n: number): number => n * A.X;\n",
        "new-help.ts": "enum A { X = 2 }\nexport const help = (n: number): number => n * A.X;\n",
        "new.ts":
          'import * as sky from "skyward";\nimport { help } from "./new-help.js";\nexport const fresh = sky.fn((n: number) => help(n));\n',
      },
      { packages: ["zod", "lodash"], skyward: own },
    );
  });
  afterAll(() => {
    untyped[Symbol.dispose]();
    rmSync(own, { recursive: true, force: true });
  });

  test("reads TypeScript in a project that has no loader for it", async () => {
    const ends = await Promise.all(
      ["clean.ts", "old/main.ts", "new.ts"].map((file) => run([cli, "check", file, "--json"], untyped.root)),
    );
    expect(ends.map(({ stderr }) => stderr)).toEqual(["", "", ""]);
    expect(ends.flatMap(names)).toEqual(["parse", "other", "old", "fresh"]);
    expect(ends.map(({ code }) => code)).toEqual([0, 0, 0]);
  });

  test("tells its version without loading any command", async () => {
    const { stdout, code } = await run([cli, "--version"], untyped.root);
    expect({ stdout, code }).toEqual({ stdout: "9.8.7\n", code: 0 });
    const loads = await run(
      [
        "--experimental-loader",
        "data:text/javascript,export const load = (url, context, next) => { console.error(url); return next(url, context); };",
        cli,
        "--version",
      ],
      untyped.root,
    );
    expect(loads.stderr).toMatch(/cli\.js/);
    expect(loads.stderr).not.toMatch(/esbuild|acorn|ssh2|\/check-/);
  });
});
