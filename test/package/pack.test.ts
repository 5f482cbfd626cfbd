import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { installJest, JEST } from "../fixtures/capture/support/projects.ts";
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
const SUITE = `
import { conformance } from "skyward/conformance";
import * as sky from "skyward";
console.log(conformance(() => sky.container()).map((one) => typeof one.run).join());
`;
const SAME = `
import("skyward").then((imported) => {
  const required = require("skyward");
  console.log(Object.keys(required).every((name) => required[name] === imported[name]) ? "one copy" : "two copies");
});
`;

describe("the package from npm pack", () => {
  let folder = "";
  let tarball = "";

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyward-pack-"));
    await npm(root, "pack", "--silent", "--pack-destination", folder);
    tarball = (await readdir(folder)).find((name) => name.endsWith(".tgz")) ?? "";
    await npm(folder, "init", "-y");
    await npm(folder, "install", "--ignore-scripts", join(folder, tarball));
    await symlink(join(root, "node_modules/lodash"), join(folder, "node_modules/lodash"));
    await installJest();
    await Promise.all([
      writeFile(join(folder, "required.cjs"), `const sky = require("skyward");${BODY}`),
      writeFile(join(folder, "plain.js"), `const sky = require("skyward");${BODY}`),
      writeFile(join(folder, "imported.mjs"), `import * as sky from "skyward";${BODY}`),
      writeFile(join(folder, "typed.mts"), `import * as sky from "skyward";${TYPED}`),
      writeFile(join(folder, "typed.cts"), `import sky = require("skyward");${TYPED}`),
      writeFile(join(folder, "same.cjs"), SAME),
      writeFile(join(folder, "suite.mts"), SUITE),
      writeFile(join(folder, "suite.mjs"), SUITE),
    ]);
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("has what a user needs and no script that runs on installation", async () => {
    const installed = join(folder, "node_modules/skyward");
    const names = await readdir(installed, { recursive: true });
    expect(names).toEqual(
      expect.arrayContaining([
        "dist/index.js",
        "dist/index.cjs",
        "dist/index.d.ts",
        "dist/agent.js",
        "README.md",
        "LICENSE",
      ]),
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

  it.each(["nodenext", "node16"])("has types that a strict program compiles against (%s)", async (module) => {
    const options = [
      "--noEmit",
      "--strict",
      "--module",
      module,
      "--target",
      "es2022",
      "--lib",
      "es2023,esnext.disposable",
    ];
    const types = ["--typeRoots", join(root, "node_modules/@types"), "--types", "node"];
    const tsc = join(root, "node_modules/.bin/tsc");
    const { stdout } = await run(tsc, [...options, ...types, "typed.mts", "typed.cts", "suite.mts"], {
      cwd: folder,
    }).catch((error: unknown) => {
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

  it.each([
    [20, "babel-jest"],
    [22, "ts-jest"],
    [24, "babel-jest"],
  ] as const)("runs functions of a CommonJS program in Jest, on Node %i by %s", async (major, by) => {
    const program = await layJest(folder, by);
    const args = [join(JEST, "jest/bin/jest.js"), "--config", join(program, "jest.config.json"), "--runInBand"];
    const options = { cwd: program, env: cleanEnvironment(), timeout: 120_000 };
    const { stderr } = await run(await nodeOfMajor(major), args, options).catch((error: unknown) => {
      return error as { stderr: string };
    });
    expect(stderr).toMatch(/^Tests: +10 passed, 10 total$/m);
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

    it("has the suite for providers", async () => {
      const options = { cwd: folder, env: cleanEnvironment(), timeout: 60_000 };
      const { stdout } = await run(await nodeOfMajor(major), ["suite.mjs"], options);
      expect(stdout).toMatch(/^function(,function){9,}\n$/);
    });

    it("is one copy, imported and required", async () => {
      const options = { cwd: folder, env: cleanEnvironment(), timeout: 60_000 };
      const { stdout } = await run(await nodeOfMajor(major), ["same.cjs"], options);
      expect(stdout).toBe("one copy\n");
    });
  });
});

const TRANSFORMS = {
  "babel-jest": {
    presets: [[join(JEST, "@babel/preset-env"), { targets: { node: "20" } }], join(JEST, "@babel/preset-typescript")],
  },
  "ts-jest": { diagnostics: false, tsconfig: { module: "commonjs", target: "es2022", esModuleInterop: true } },
};

/** A project with the package, and with Jest as it comes: CommonJS. */
async function layJest(installed: string, by: keyof typeof TRANSFORMS): Promise<string> {
  const program = await mkdtemp(join(installed, "jest-"));
  await cp(join(root, "test/fixtures/jest"), program, { recursive: true });
  const config = {
    testEnvironment: join(JEST, "jest-environment-node"),
    transform: { "\\.[jt]s$": [join(JEST, by), TRANSFORMS[by]] },
    cacheDirectory: join(program, ".jest"),
  };
  await Promise.all([
    writeFile(join(program, "package.json"), '{ "name": "program", "private": true }\n'),
    writeFile(join(program, "jest.config.json"), JSON.stringify(config)),
  ]);
  return program;
}
