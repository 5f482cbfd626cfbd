import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SmallProject } from "../../../test/support/small-project.ts";
import type { ExplainedData } from "./explanation.ts";

const PROGRAM = `
import { createServer } from "node:net";
import * as sky from "skyward";
import { explain } from ${JSON.stringify(join(import.meta.dirname, "explain.ts"))};
import { fit } from "./model.ts";
import big from "big";
import { pick } from "plugins";
import built from "built";
import { prebuilt } from "./native.ts";

const config = { lr: 0.1, layers: [1, 2, 3] };
const picture = new Float32Array(1000);
let scale = 2;
class Optimiser { step() { return scale; } }
const helper = (x: number) => new Optimiser().step() * x;
const train = sky.fn((lr: number) => helper(fit(lr * config.lr)) + picture.length);
const holder = { server: createServer() };

const before = await train.explain();
scale = 2 ** 40;
const plain = (x: number) => x + 1;
const answers = {
  before,
  after: await train.explain(),
  refused: await sky.fn(() => holder.server.listening, { name: "listening" }).explain(),
  unresolved: await sky.fn(() => import("./nothing.ts"), { name: "lost" }).explain(),
  plain: await explain(plain),
  native: await sky.fn(() => [prebuilt, built], { name: "native" }).explain(),
  nativeText: String(await sky.fn(() => [prebuilt, built], { name: "native" }).explain()),
  warned: await sky.fn(() => [big, pick("a")], { name: "warned" }).explain(),
  text: String(before),
  refusedText: String(await sky.fn(() => holder.server, { name: "listening" }).explain()),
  isError: (await sky.fn(() => holder.server).explain()).refused instanceof sky.SkyError,
};
process.stdout.write(JSON.stringify(answers));
`;

const FILES = {
  "src/main.ts": PROGRAM,
  "src/model.ts":
    'import { z } from "zod";\nimport { deep } from "./deep/deep.ts";\nexport const fit = (lr: number) => deep(z.number().parse(lr));\n',
  "src/deep/deep.ts":
    'import chunk from "lodash/chunk.js";\nexport const deep = (x: number) => chunk([x], 1).length;\n',
  "node_modules/big/package.json": '{"name":"big","version":"1.2.3"}',
  "node_modules/big/index.js": 'module.exports = require("fs").readFileSync(__dirname + "/data.txt", "utf8").length;',
  "node_modules/big/data.txt": "x".repeat(6e6),
  "src/native.ts": 'export { default as prebuilt } from "prebuilt";\n',
  "node_modules/prebuilt/package.json": '{"name":"prebuilt","version":"1.0.0"}',
  "node_modules/prebuilt/index.js": "module.exports = 1;",
  "node_modules/prebuilt/prebuilds/x.node": "",
  "node_modules/built/package.json": '{"name":"built","version":"2.0.0"}',
  "node_modules/built/index.js": "module.exports = 2;",
  "node_modules/built/binding.gyp": "",
  "package-lock.json": '{"packages":{"node_modules/prebuilt":{"version":"1.0.0","integrity":"sha512-p"}}}',
  "node_modules/plugins/package.json": '{"name":"plugins","version":"2.0.0"}',
  "node_modules/plugins/index.js": "exports.pick = (name) => () => require(name);",
};

/** The line of the program (from 1) that holds a text. */
const lineOf = (text: string): number => PROGRAM.slice(0, PROGRAM.indexOf(text)).split("\n").length;

let answers: Record<"before" | "after" | "refused" | "unresolved" | "plain" | "native" | "warned", ExplainedData> & {
  readonly nativeText: string;
  readonly text: string;
  readonly refusedText: string;
  readonly isError: boolean;
};
let project: SmallProject;

beforeAll(async () => {
  project = new SmallProject(FILES, { packages: ["zod", "lodash"] });
  const tsx = join(import.meta.dirname, "../../../node_modules/tsx/dist/loader.mjs");
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--conditions=skyward:source", "--import", tsx, "src/main.ts"],
    { cwd: project.root, maxBuffer: 1 << 24 },
  );
  answers = JSON.parse(stdout) as typeof answers;
}, 60_000);
afterAll(() => project[Symbol.dispose]());

describe("what travels", () => {
  test("the function, where it is, and what goes with it as source", () => {
    const { name, file, line, entry, sources, refused } = answers.before;
    const main = join(project.root, "src/main.ts");
    expect({ name, file, line, refused }).toEqual({
      name: "train",
      file: main,
      line: lineOf("const train"),
      refused: undefined,
    });
    expect(entry).toMatch(/^src\/main\.sky-[0-9a-f]{12}\.mjs$/);
    expect(sources).toEqual([
      { name: "train", kind: "function", file: main, line: lineOf("const train") },
      { name: "helper", kind: "function", file: main, line: lineOf("const helper") },
      { name: "Optimiser", kind: "class", file: main, line: lineOf("class Optimiser") },
    ]);
  });

  test("captured values with their size, as they are when it is asked", () => {
    expect(answers.before.values).toEqual([
      {
        name: "picture",
        type: "Float32Array of 1000",
        size: expect.toSatisfy((size: number) => size >= 4000),
        why: "train -> picture",
      },
      expect.objectContaining({ name: "config", why: expect.stringMatching(/^train -> config/) as string }),
      { name: "scale", type: "number", size: 1, why: "train -> helper -> Optimiser -> scale" },
    ]);
    const scale = answers.after.values.find((value) => value.name === "scale");
    expect(scale?.size).toBeGreaterThan(1);
  });

  test("own files and packages, with the imports that lead to them", () => {
    const { files, packages } = answers.before;
    expect(files.map(({ path, why }) => `${path}: ${why}`)).toEqual(
      expect.arrayContaining([
        "package.json: says how its folder's modules are read",
        "src/deep/deep.ts: train -> ./model.ts -> ./deep/deep.ts",
        "src/model.ts: train -> ./model.ts",
        `${answers.before.entry}: train and what it captures`,
      ]),
    );
    // Declarations of the entry file become modules of their own.
    expect(
      files.map(({ why }) => why).filter((why) => why === "declarations that functions share").length,
    ).toBeLessThan(4);
    expect(packages.map(({ name, whole, why }) => ({ name, whole, why }))).toEqual([
      { name: "zod", whole: false, why: "train -> ./model.ts -> zod" },
      { name: "lodash", whole: false, why: "train -> ./model.ts -> ./deep/deep.ts -> lodash/chunk.js" },
    ]);
    for (const { files: count, size, version } of packages) {
      expect(count).toBeGreaterThan(5);
      expect(size).toBeGreaterThan(5000);
      expect(version).toMatch(/^\d+\.\d+\.\d+/);
    }
  });

  test("the sum, and about what it is when compressed", () => {
    const { bytes, files, packages, values } = answers.before;
    const parts = [...files, ...packages, ...values].reduce((sum, item) => sum + item.size, 0);
    expect(Math.abs(bytes.raw - parts)).toBeLessThan(200);
    expect(bytes.compressed).toBeLessThan(bytes.raw / 2);
    expect(bytes.compressed).toBeGreaterThan(10_000);
  });

  test("a plain function is explained like any other", () => {
    expect(answers.plain).toMatchObject({
      name: "plain",
      line: lineOf("const plain"),
      packages: [],
      values: [],
      warnings: [],
    });
  });
});

test("a large package that travels whole, and a require of what only the run tells, are warned of", () => {
  const { packages, warnings } = answers.warned;
  expect(packages[0]).toMatchObject({ name: "big", version: "1.2.3", whole: true, files: 3 });
  expect(warnings).toEqual([
    expect.stringMatching(/^big 1\.2\.3 travels whole, 6\.0 MB: index\.js looks for files beside itself/),
    expect.stringMatching(/^plugins requires what only its run tells, in index\.js/),
  ]);
});

test("packages with native code are named with what is native, and what they need to be installed elsewhere", () => {
  const { externals, packages, warnings } = answers.native;
  expect(externals).toEqual([
    { name: "built", version: "2.0.0", native: "binding.gyp", why: "native -> built" },
    {
      name: "prebuilt",
      version: "1.0.0",
      integrity: "sha512-p",
      native: "prebuilds",
      why: "native -> ./native.ts -> prebuilt",
    },
  ]);
  expect(packages).toEqual([]);
  expect(warnings).toEqual([expect.stringMatching(/^built 2\.0\.0 is built by its install script.*"built": true/)]);
  expect(answers.nativeText).toMatch(/^ {2}native packages, installed where it runs\n {4}NAME +VERSION +NATIVE +WHY$/m);
  expect(answers.nativeText).toMatch(/^ {4}prebuilt +1\.0\.0 +prebuilds +native -> \.\/native\.ts -> prebuilt$/m);
});

describe("what can't travel", () => {
  test("is told with the way to it, its place and what to do; nothing is thrown", () => {
    expect(answers.refused).toMatchObject({
      name: "listening",
      file: join(project.root, "src/main.ts"),
      line: lineOf("refused: await"),
      bytes: { raw: 0, compressed: 0 },
      files: [],
      refused: {
        code: "SKY_CAPTURE_UNSERIALIZABLE",
        message: expect.stringContaining("listening -> holder -> server (net.Server)") as string,
        hint: expect.stringContaining("inside the function") as string,
        details: { line: lineOf("refused: await") },
      },
    });
    expect(answers.isError).toBe(true);
  });

  test("also where an import leads nowhere; what was found before stays", () => {
    const { refused, sources } = answers.unresolved;
    expect(refused).toMatchObject({ code: "SKY_CAPTURE_UNRESOLVED" });
    expect(refused?.message).toMatch(new RegExp(`nothing\\.ts[^]*src/main\\.ts:${lineOf("unresolved: await")}:`));
    expect(sources).toHaveLength(1);
  });
});

test("as text it is a table, and a refusal reads like an error", () => {
  const lines = answers.text.split("\n");
  expect(lines[0]).toBe(`train  src/main.ts:${lineOf("const train")}`);
  expect(lines[1]).toMatch(/^ {2}can be sent: \d+ files, [\d.]+ kB, about [\d.]+ kB compressed$/);
  expect(answers.text).toMatch(/^ {4}NAME {2,}VERSION {2,}FILES {2,}SIZE {2,}WHY$/m);
  expect(answers.text).toMatch(/^ {4}zod +4\.\S+ +\d+ +[\d.]+ kB {2}train -> \.\/model\.ts -> zod$/m);
  expect(answers.text).not.toMatch(/ $/m);
  expect(answers.refusedText).toMatch(
    /^listening {2}src\/main\.ts:\d+\n {2}refused \[SKY_CAPTURE_UNSERIALIZABLE\]\n {2}listening can't be sent: /,
  );
});
