import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { InstallPlan } from "../../../wire/install-plan.ts";
import type { Artifact, ArtifactExternal, Prepared } from "../artifact.ts";
import { prepare } from "../prepare.ts";
import { blob } from "../store.ts";

const made: string[] = [];
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function project(
  files: Readonly<Record<string, string | object>>,
  links: Readonly<Record<string, string>> = {},
): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "sky-native-")));
  made.push(root);
  for (const [path, given] of Object.entries({ "package.json": {}, "src/main.ts": "", ...files })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), typeof given === "string" ? given : JSON.stringify(given));
  }
  for (const [path, target] of Object.entries(links)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    symlinkSync(target, join(root, path));
  }
  return root;
}

function reaching(root: string, ...packages: string[]): Promise<Prepared> {
  const file = join(root, "src/main.ts");
  const text = `${packages.map((name) => `import "${name}";\n`).join("")}export const make = () => () => 1;\n`;
  return prepare({
    name: "train",
    file,
    kind: "esm",
    text,
    place: (line, column) => ({ file, line: line + 1, column: column + 1 }),
    include: [],
    entryName: `main.sky-${packages.join("-").replaceAll(/\W/g, "")}.mjs`,
    modules: [],
    assets: [],
    isHome: () => false,
    declarations: () => [],
  });
}

const planOf = (external: ArtifactExternal): InstallPlan =>
  JSON.parse(Buffer.from(blob(external.plan)!).toString()) as InstallPlan;
const packagesIn = (artifact: Artifact): string[] =>
  artifact.files.map((file) => file.path).filter((path) => path.startsWith("node_modules"));

const NATIVE = {
  "node_modules/prebuilt/package.json": {
    name: "prebuilt",
    version: "1.2.3",
    dependencies: { helper: "^2" },
    optionalDependencies: { "prebuilt-linux": "1.2.3", "prebuilt-darwin": "1.2.3" },
  },
  "node_modules/prebuilt/index.js": "require('helper'); module.exports = require(`prebuilt-${process.platform}`);",
  "node_modules/prebuilt-linux/package.json": { name: "prebuilt-linux", version: "1.2.3", os: ["linux"] },
  "node_modules/prebuilt-linux/lib.node": "",
  "node_modules/helper/package.json": { name: "helper", version: "2.0.1" },
  "node_modules/helper/index.js": "",
};

describe("what stays behind", () => {
  test("a package that brings one for each platform, with all that only it needs", async () => {
    const root = project(NATIVE);
    const { artifact, wayTo } = await reaching(root, "prebuilt");
    expect(artifact.externals).toEqual([
      expect.objectContaining({
        name: "prebuilt",
        version: "1.2.3",
        path: "node_modules/prebuilt",
        home: join(root, "node_modules/prebuilt"),
        why: "prebuilt-linux",
        unlisted: false,
      }),
    ]);
    expect(packagesIn(artifact)).toEqual([]);
    expect(wayTo(artifact.externals[0]!.home!)).toEqual(["prebuilt"]);
  });

  test("what the function itself needs of the same packages travels", async () => {
    const root = project(NATIVE);
    const { artifact } = await reaching(root, "prebuilt", "helper");
    expect(packagesIn(artifact)).toEqual(["node_modules/helper/index.js", "node_modules/helper/package.json"]);
  });

  test.each([
    ["binding.gyp", { "node_modules/n/binding.gyp": "" }, "binding.gyp"],
    ["prebuilt files", { "node_modules/n/prebuilds/linux-x64/n.node": "" }, "prebuilds"],
    [
      "a file that is imported",
      { "node_modules/n/index.js": "require('./n.node')", "node_modules/n/n.node": "" },
      "n.node",
    ],
    [
      "a file that lies beside others",
      { "node_modules/n/index.js": "require(__dirname + '/bin/' + x)", "node_modules/n/bin/n.node": "" },
      "bin/n.node",
    ],
    [
      "a file that a helper loads",
      {
        "node_modules/n/package.json": { name: "n", version: "1.0.0", dependencies: { bindings: "1" } },
        "node_modules/n/build/Release/n.node": "",
      },
      "build/Release/n.node",
    ],
    [
      "a package for one platform",
      { "node_modules/n/package.json": { name: "n", version: "1.0.0", os: ["linux"], cpu: ["x64"] } },
      "made for one platform",
    ],
  ])("a package with %s", async (_what, files, why) => {
    const root = project({
      "node_modules/n/package.json": { name: "n", version: "1.0.0" },
      "node_modules/n/index.js": "",
      ...files,
    });
    const { artifact } = await reaching(root, "n");
    expect(artifact.externals).toEqual([expect.objectContaining({ name: "n", why })]);
    expect(packagesIn(artifact)).toEqual([]);
  });

  test("nothing, where a package only may bring one for another platform", async () => {
    const root = project({
      "node_modules/plain/package.json": { name: "plain", optionalDependencies: { "plain-darwin": "1" } },
      "node_modules/plain/index.js": "",
    });
    const { artifact } = await reaching(root, "plain");
    expect(artifact.externals).toEqual([]);
  });
});

describe("the versions are", () => {
  test("those of package-lock.json, for every platform, laid out as Node finds them", async () => {
    const entry = (version: string, more: object = {}): object => ({
      version,
      integrity: `sha512-${version}`,
      ...more,
    });
    const root = project({
      ...NATIVE,
      "package-lock.json": {
        lockfileVersion: 3,
        packages: {
          "": {},
          "node_modules/prebuilt": entry("1.2.3", {
            dependencies: { helper: "^2", shared: "^1" },
            optionalDependencies: { "prebuilt-linux": "1.2.3", "prebuilt-darwin": "1.2.3" },
          }),
          "node_modules/prebuilt-linux": entry("1.2.3", { os: ["linux"], optional: true }),
          "node_modules/prebuilt-darwin": entry("1.2.3", { os: ["darwin"], optional: true }),
          "node_modules/helper": entry("2.0.1", { dependencies: { shared: "^2" } }),
          "node_modules/shared": entry("2.5.0"),
          "node_modules/prebuilt/node_modules/shared": entry("1.5.0", { resolved: "https://other/shared.tgz" }),
          "node_modules/unrelated": entry("9.9.9"),
        },
      },
    });
    const { artifact } = await reaching(root, "prebuilt");
    expect(artifact.externals[0]).toMatchObject({ integrity: "sha512-1.2.3" });
    const plan = planOf(artifact.externals[0]!);
    expect(plan).toMatchObject({ name: "prebuilt", version: "1.2.3", scripts: [] });
    const { packages } = plan.lock as { packages: Record<string, Record<string, unknown>> };
    expect(Object.keys(packages).sort()).toEqual([
      "",
      "node_modules/helper",
      "node_modules/helper/node_modules/shared",
      "node_modules/prebuilt",
      "node_modules/prebuilt-darwin",
      "node_modules/prebuilt-linux",
      "node_modules/shared",
    ]);
    expect(packages[""]).toMatchObject({ dependencies: { prebuilt: "1.2.3" } });
    expect(packages["node_modules/shared"]).toMatchObject({ version: "1.5.0", resolved: "https://other/shared.tgz" });
    expect(packages["node_modules/helper/node_modules/shared"]).toMatchObject({
      version: "2.5.0",
      integrity: "sha512-2.5.0",
      resolved: "https://registry.npmjs.org/shared/-/shared-2.5.0.tgz",
    });
    expect(packages["node_modules/prebuilt-darwin"]).toMatchObject({ os: ["darwin"], optional: true });
    expect(packages["node_modules/helper"]).not.toHaveProperty("optional");
  });

  test("those of pnpm-lock.yaml", async () => {
    const store = "node_modules/.pnpm/prebuilt@1.2.3/node_modules";
    const root = project(
      {
        [`${store}/prebuilt/package.json`]: { name: "prebuilt", version: "1.2.3" },
        [`${store}/prebuilt/binding.gyp`]: "",
        [`${store}/prebuilt/index.js`]: "",
        "pnpm-workspace.yaml": "onlyBuiltDependencies:\n  - prebuilt\n",
        "pnpm-lock.yaml": `
lockfileVersion: '9.0'
packages:
  prebuilt@1.2.3:
    resolution: {integrity: sha512-p}
  '@scope/darwin@1.2.3':
    resolution: {integrity: sha512-d}
    os: [darwin]
  helper@2.0.1:
    resolution: {integrity: sha512-h}
snapshots:
  prebuilt@1.2.3(peer@1.0.0):
    dependencies:
      alias: helper@2.0.1
    optionalDependencies:
      '@scope/darwin': 1.2.3
  '@scope/darwin@1.2.3': {}
  helper@2.0.1: {}
`,
      },
      { "node_modules/prebuilt": ".pnpm/prebuilt@1.2.3/node_modules/prebuilt" },
    );
    const { artifact } = await reaching(root, "prebuilt");
    const [external] = artifact.externals;
    expect(external).toMatchObject({ path: `${store}/prebuilt`, integrity: "sha512-p", unlisted: false });
    expect(artifact.links).toEqual([
      { path: "node_modules/prebuilt", target: ".pnpm/prebuilt@1.2.3/node_modules/prebuilt" },
    ]);
    const { lock, scripts } = planOf(external!);
    expect(scripts).toEqual(["prebuilt"]);
    expect((lock as { packages: object }).packages).toMatchObject({
      "node_modules/prebuilt": {
        dependencies: { alias: "npm:helper@2.0.1" },
        optionalDependencies: { "@scope/darwin": "1.2.3" },
      },
      "node_modules/alias": { name: "helper", version: "2.0.1", integrity: "sha512-h" },
      "node_modules/@scope/darwin": { os: ["darwin"], optional: true },
    });
  });

  test("those that are installed, where yarn.lock tells their integrity and no platforms", async () => {
    const root = project({
      ...NATIVE,
      "yarn.lock": `# yarn lockfile v1


helper@^2:
  version "2.0.1"
  resolved "https://registry.yarnpkg.com/helper/-/helper-2.0.1.tgz#aa"
  integrity sha512-helper

prebuilt@1.2.3:
  version "1.2.3"
  integrity sha512-prebuilt
  dependencies:
    helper "^2"
`,
    });
    const { artifact } = await reaching(root, "prebuilt");
    expect(artifact.externals[0]).toMatchObject({ integrity: "sha512-prebuilt" });
    const plan = planOf(artifact.externals[0]!);
    expect(plan.lock).toBeUndefined();
    expect(plan.manifest).toMatchObject({
      dependencies: { prebuilt: "1.2.3" },
      overrides: { helper: "2.0.1", "prebuilt-linux": "1.2.3" },
    });
    expect(plan.integrity).toEqual({ "prebuilt@1.2.3": "sha512-prebuilt", "helper@2.0.1": "sha512-helper" });
  });

  test("those that are installed, where a lockfile says another version than runs here", async () => {
    const root = project({
      ...NATIVE,
      "package-lock.json": { packages: { "": {}, "node_modules/prebuilt": { version: "1.2.2" } } },
    });
    const { artifact } = await reaching(root, "prebuilt");
    expect(planOf(artifact.externals[0]!)).toMatchObject({ version: "1.2.3" });
  });
});

describe("install scripts run", () => {
  const files = (manifest: object): Record<string, string | object> => ({
    "package.json": manifest,
    "node_modules/built/package.json": { name: "built", version: "1.0.0", scripts: { install: "node-gyp rebuild" } },
    "node_modules/built/index.js": "",
    "node_modules/built/binding.gyp": "",
  });
  test.each([
    ["not, unless they are listed", {}, false],
    ["when npm's allowScripts lists them", { allowScripts: { built: true } }, true],
    ["when it lists just this version", { allowScripts: { "built@1.0.0": true } }, true],
    ["not when it lists another", { allowScripts: { "built@2.0.0": true } }, false],
    ["not when it says no", { allowScripts: { built: false }, trustedDependencies: ["built"] }, false],
    ["when Bun's trustedDependencies does", { trustedDependencies: ["built"] }, true],
    ["when pnpm's onlyBuiltDependencies does", { pnpm: { onlyBuiltDependencies: ["built"] } }, true],
  ])("%s", async (_when, manifest, runs) => {
    const { artifact } = await reaching(project(files(manifest)), "built");
    const [external] = artifact.externals;
    expect(planOf(external!).scripts).toEqual(runs ? ["built"] : []);
    expect(external!.unlisted).toBe(!runs);
  });
});
