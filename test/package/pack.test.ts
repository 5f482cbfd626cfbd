import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cleanEnvironment, nodeOfMajor, npm } from "./npm.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");

const BODY = `
const double = sky.fn((x) => x * 2);
sky.compute({ provider: sky.local(), nodes: 1 }, async (pool) => {
  console.log("answer", await pool.run(double(21)), await pool.map(double, [1, 2, 3]));
});
`;
const TYPED = BODY.replace("(x)", "(x: number)").replace(
  "console.log",
  'const one: number = await pool.run(double(21));\n  // @ts-expect-error: a number is asked for\n  double("x");\n  void one;\n  console.log',
);

describe("the package from npm pack", () => {
  let folder = "";
  let tarball = "";

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyward-pack-"));
    await npm(root, "pack", "--silent", "--pack-destination", folder);
    tarball = (await readdir(folder)).find((name) => name.endsWith(".tgz")) ?? "";
    await npm(folder, "init", "-y");
    await npm(folder, "install", "--ignore-scripts", join(folder, tarball));
    await Promise.all([
      writeFile(join(folder, "required.cjs"), `const sky = require("skyward");${BODY}`),
      writeFile(join(folder, "plain.js"), `const sky = require("skyward");${BODY}`),
      writeFile(join(folder, "imported.mjs"), `import * as sky from "skyward";${BODY}`),
      writeFile(join(folder, "typed.mts"), `import * as sky from "skyward";${TYPED}`),
    ]);
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("has what a user needs and no script that runs on installation", async () => {
    const installed = join(folder, "node_modules/skyward");
    const names = await readdir(installed, { recursive: true });
    expect(names).toEqual(
      expect.arrayContaining(["dist/index.js", "dist/index.d.ts", "dist/agent.js", "README.md", "LICENSE"]),
    );
    expect(names.filter((name) => name.endsWith(".test.ts"))).toEqual([]);
    const manifest = JSON.parse(await readFile(join(installed, "package.json"), "utf8")) as {
      scripts?: Record<string, string>;
    };
    expect(Object.keys(manifest.scripts ?? {})).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(pre|post)?install$/)]),
    );
  });

  it("has no fault that publint knows of", async () => {
    const packed = await readFile(join(folder, tarball));
    const { messages, pkg } = await publint({
      strict: true,
      pack: { tarball: packed.buffer.slice(packed.byteOffset, packed.byteOffset + packed.byteLength) },
    });
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  });

  it("has types that a strict program compiles against", async () => {
    await symlink(join(root, "node_modules/@types"), join(folder, "types"));
    const options = [
      "--noEmit",
      "--strict",
      "--module",
      "nodenext",
      "--target",
      "es2022",
      "--lib",
      "es2023,esnext.disposable",
    ];
    const types = ["--typeRoots", join(folder, "types"), "--types", "node"];
    const tsc = join(root, "node_modules/.bin/tsc");
    const { stdout } = await run(tsc, [...options, ...types, "typed.mts"], { cwd: folder }).catch((error: unknown) => {
      return error as { stdout: string };
    });
    expect(stdout).toBe("");
  });

  it("has the command sky, which checks a file", async () => {
    await writeFile(
      join(folder, "checked.mjs"),
      'import * as sky from "skyward";\nexport const double = sky.fn((x) => x * 2);\n',
    );
    const sky = join(folder, "node_modules/.bin/sky");
    const options = { cwd: folder, env: cleanEnvironment(), timeout: 60_000 };
    const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string };
    expect((await run(sky, ["--version"], options)).stdout.trim()).toContain(manifest.version);
    const { stdout } = await run(sky, ["check", "checked.mjs"], options);
    expect(stdout).toMatch(/double[^]*can be sent/);
  });

  describe.each([20, 22, 24])("on Node %i", (major) => {
    // Node 20 has no types of its own to strip; there a program in TypeScript brings its own loader.
    const programs = ["required.cjs", "plain.js", "imported.mjs", ...(major > 20 ? ["typed.mts"] : [])];

    it.each(programs)("runs %s on a local pool", async (program) => {
      const { stdout } = await run(await nodeOfMajor(major), [program], {
        cwd: folder,
        env: cleanEnvironment(),
        timeout: 60_000,
      });
      expect(stdout).toContain("answer 42 [ 2, 4, 6 ]");
    });
  });
});
