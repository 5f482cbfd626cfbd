import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { Artifact, EntrySource, Prepared } from "./artifact.ts";
import { ownRoot } from "./own-package.ts";
import { prepare } from "./prepare.ts";
import { blob } from "./store.ts";

const made: string[] = [];
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function project(files: Readonly<Record<string, string>>): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "sky-artifact-")));
  made.push(root);
  for (const [path, text] of Object.entries({
    "package-lock.json": "{}",
    "package.json": '{"type":"module"}',
    ...files,
  })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

function entry(root: string, text: string, more: Partial<EntrySource> = {}): Promise<Prepared> {
  const file = join(root, "src/main.ts");
  return prepare({
    name: "train",
    file,
    kind: "esm",
    text,
    place: (line, column) => ({ file, line: line + 1, column: column + 1 }),
    include: [],
    entryName: `main.sky-${createHash("sha256").update(text).digest("hex").slice(0, 12)}.${more.kind === "cjs" ? "cjs" : "mjs"}`,
    modules: [],
    assets: [],
    isHome: () => false,
    declarations: () => [],
    ...more,
  });
}

const paths = (artifact: Artifact): string[] => artifact.files.map((file) => file.path);
const content = (artifact: Artifact, path: string): string =>
  Buffer.from(blob(artifact.files.find((file) => file.path === path)!.hash)!).toString();

test("files keep their places, are compiled one by one, and name each other as emitted", async () => {
  const root = project({
    "src/main.ts": "",
    "src/a.ts": 'import { b } from "./deep/b.ts";\nimport type { T } from "./types.ts";\nexport const a: T = b;',
    "src/deep/b.ts": 'export { default as b } from "../c.mjs";',
    "src/c.mjs": "export default 1;",
    "src/types.ts": "export type T = number;",
    "src/unused.ts": "export {};",
  });
  const { artifact } = await entry(root, 'import { a } from "./a.ts";\nexport const make = () => () => a;\n');
  expect(artifact.root).toBe(root);
  expect(paths(artifact)).toEqual([
    "package.json",
    "src/a.js",
    "src/c.mjs",
    "src/deep/b.js",
    expect.stringMatching(/^src\/main\.sky-[0-9a-f]{12}\.mjs$/),
  ]);
  expect(artifact.entry).toBe(paths(artifact).at(-1));
  expect(content(artifact, "src/a.js")).toContain('from "./deep/b.js"');
  expect(content(artifact, "src/deep/b.js")).toContain('from "../c.mjs"');
  expect(content(artifact, artifact.entry)).toContain('from "./a.js"');
  expect(content(artifact, "src/a.js")).not.toMatch(/sourceMappingURL/);
});

test("the same entry is the same artifact; another one adds only its own file", async () => {
  const root = project({ "src/main.ts": "", "src/a.ts": "export const a = 1;" });
  const first = (await entry(root, 'import { a } from "./a.ts";\nexport const make = () => () => a;\n')).artifact;
  const again = (await entry(root, 'import { a } from "./a.ts";\nexport const make = () => () => a;\n')).artifact;
  const other = (await entry(root, 'import { a } from "./a.ts";\nexport const make = () => () => a + 1;\n')).artifact;
  expect(again.id).toBe(first.id);
  expect(other.id).not.toBe(first.id);
  const known = new Set(first.files.map((file) => file.hash));
  expect(other.files.filter((file) => !known.has(file.hash)).map((file) => file.path)).toEqual([other.entry]);
});

test("an entry elsewhere that imports what is known is only resolved, and comes to the same", async () => {
  const root = project({
    "tsconfig.json": '{"compilerOptions":{"paths":{"@lib/*":["./src/*"]}}}',
    "src/main.ts": "",
    "src/deep/other.ts": "",
    "src/a.ts": 'export { default as p } from "plain";\nexport { join } from "node:path";',
    "node_modules/plain/package.json": '{"name":"plain"}',
    "node_modules/plain/index.js": 'module.exports = require("./more");',
    "node_modules/plain/more.js": "module.exports = 1;",
  });
  const text = (specifier: string): string =>
    `import { p, join } from "${specifier}";\nimport q from "plain";\nimport "fs";\nimport "skyward";\nexport const make = () => () => [p, q, join];\n`;
  const first = (await entry(root, text("./a.ts"))).artifact;
  // Nobody reads it again: by now it would not be understood.
  writeFileSync(join(root, "node_modules/plain/more.js"), "not a module (");
  const file = join(root, "src/deep/other.ts");
  for (const specifier of ["../a.ts", "../a.js", "@lib/a.ts"]) {
    const other = (await entry(root, text(specifier), { file })).artifact;
    expect(other.entry).toMatch(/^src\/deep\/main\.sky-/);
    expect(content(other, other.entry)).toContain('from "../a.js"');
    expect(content(other, other.entry)).toContain('import "skyward"');
    expect(paths(other).filter((path) => path !== other.entry)).toEqual(
      paths(first).filter((path) => path !== first.entry),
    );
  }
  await expect(entry(root, text("../b.ts"), { file })).rejects.toMatchObject({ code: "SKY_CAPTURE_UNRESOLVED" });
});

test("aliases of the compiler and workspace packages become relative paths, bare names stay", async () => {
  const root = project({
    "tsconfig.json": '{"compilerOptions":{"paths":{"@lib/*":["./src/lib/*"]}}}',
    "src/main.ts": "",
    "src/lib/x.ts": 'export { y } from "@acme/tools";',
    "packages/tools/package.json": '{"name":"@acme/tools","type":"module","exports":"./src/index.ts"}',
    "packages/tools/src/index.ts": 'import { deep } from "plain";\nexport const y = deep;',
    "node_modules/plain/package.json": '{"name":"plain","main":"index.js"}',
    "node_modules/plain/index.js": "exports.deep = 1;",
  });
  mkdirSync(join(root, "node_modules/@acme"));
  symlinkSync("../../packages/tools", join(root, "node_modules/@acme/tools"));
  const { artifact } = await entry(root, 'import { y } from "@lib/x.ts";\nexport const make = () => () => y;\n');
  expect(content(artifact, "src/lib/x.js")).toContain('from "../../packages/tools/src/index.js"');
  expect(content(artifact, "packages/tools/src/index.js")).toContain('from "plain"');
  expect(content(artifact, "node_modules/plain/index.js")).toBe("exports.deep = 1;");
  expect(paths(artifact)).toEqual(
    expect.arrayContaining(["node_modules/plain/package.json", "packages/tools/package.json"]),
  );
});

test("symlinked packages are reached through the same links, also outside of the project", async () => {
  const elsewhere = project({
    "node_modules/far/package.json": '{"name":"far"}',
    "node_modules/far/index.js": "module.exports = 1;",
  });
  const root = project({
    "src/main.ts": "",
    "node_modules/.pnpm/near@1/node_modules/near/package.json": '{"name":"near"}',
    "node_modules/.pnpm/near@1/node_modules/near/index.js": 'module.exports = require("inner");',
    "node_modules/.pnpm/inner@2/node_modules/inner/index.js": "module.exports = 2;",
  });
  symlinkSync(".pnpm/near@1/node_modules/near", join(root, "node_modules/near"));
  symlinkSync("../../inner@2/node_modules/inner", join(root, "node_modules/.pnpm/near@1/node_modules/inner"));
  symlinkSync(join(elsewhere, "node_modules/far"), join(root, "node_modules/far"));
  const { artifact } = await entry(
    root,
    'import near from "near";\nimport far from "far";\nexport const make = () => () => [near, far];\n',
  );
  const far = paths(artifact).find((path) => path.endsWith("far/index.js"))!;
  expect(far).toMatch(/^__outside\/[0-9a-f]{8}\/node_modules\/far\/index\.js$/);
  expect(artifact.links).toEqual([
    { path: "node_modules/.pnpm/near@1/node_modules/inner", target: "../../inner@2/node_modules/inner" },
    { path: "node_modules/far", target: `../${dirname(far)}` },
    { path: "node_modules/near", target: ".pnpm/near@1/node_modules/near" },
  ]);
});

test("a package that looks for files beside itself travels whole", async () => {
  const root = project({
    "src/main.ts": "",
    "node_modules/reader/package.json": '{"name":"reader","dependencies":{"dep":"1"}}',
    "node_modules/reader/index.js": 'module.exports = require("fs").readFileSync(__dirname + "/data.txt", "utf8");',
    "node_modules/reader/data.txt": "data",
    "node_modules/reader/worker.js": "",
    "node_modules/reader/test/big.js": "",
    "node_modules/reader/README.md": "",
    "node_modules/reader/index.d.ts": "",
    "node_modules/dep/package.json": '{"name":"dep"}',
    "node_modules/dep/index.js": "",
    "node_modules/modest/package.json": '{"name":"modest"}',
    "node_modules/modest/index.js": "module.exports = 1;",
    "node_modules/modest/other.js": "",
  });
  const { artifact } = await entry(
    root,
    'import a from "reader";\nimport b from "modest";\nexport const make = () => () => [a, b];\n',
  );
  expect(paths(artifact).filter((path) => path.startsWith("node_modules"))).toEqual([
    "node_modules/dep/index.js",
    "node_modules/dep/package.json",
    "node_modules/modest/index.js",
    "node_modules/modest/package.json",
    "node_modules/reader/data.txt",
    "node_modules/reader/index.js",
    "node_modules/reader/package.json",
    "node_modules/reader/worker.js",
  ]);
});

test("this package is never read: it is imported by its name", async () => {
  const root = project({
    "src/main.ts": "",
    "src/a.ts": `export { fn } from ${JSON.stringify(join(ownRoot, "src/index.ts"))};\nimport "skyward";`,
  });
  const { artifact } = await entry(root, 'import { fn } from "./a.ts";\nexport const make = () => () => fn;\n');
  expect(content(artifact, "src/a.js")).toContain('from "skyward"');
  expect(paths(artifact)).toHaveLength(3);
});

test("CommonJS stays CommonJS", async () => {
  const root = project({
    "package.json": "{}",
    "src/main.ts": "",
    "src/a.ts": 'import { b } from "./b";\nexport const a = b;',
    "src/b.ts": "export const b = __filename;",
  });
  const { artifact } = await entry(root, 'const { a } = require("./a.ts");\nexports.make = () => () => a;\n', {
    kind: "cjs",
  });
  expect(artifact.entry).toMatch(/\.cjs$/);
  expect(content(artifact, artifact.entry)).toContain('require("./a.js")');
  expect(content(artifact, "src/a.js")).toContain('require("./b.js")');
});

test("an optional import of a package may be missing, an import of the user's may not", async () => {
  const root = project({
    "src/main.ts": "",
    "src/a.ts": '\nimport { nothing } from "not-installed";\nexport { nothing };',
    "node_modules/modest/package.json": '{"name":"modest"}',
    "node_modules/modest/index.js": 'try { require("a") } catch {} module.exports = (x) => x && require("b");',
  });
  await expect(entry(root, 'import a from "modest";\nexport const make = () => () => a;\n')).resolves.toBeDefined();
  const missing = entry(root, 'import { nothing } from "./a.ts";\nexport const make = () => () => nothing;\n');
  await expect(missing).rejects.toMatchObject({
    code: "SKY_CAPTURE_UNRESOLVED",
    message: expect.stringMatching(/not-installed"[^]*src\/a\.ts:2:25/),
  });
});

test("Yarn Plug'n'Play is refused with what to set", async () => {
  const root = project({ "src/main.ts": "", ".pnp.cjs": "" });
  await expect(entry(root, "export const make = () => () => 1;\n")).rejects.toMatchObject({
    code: "SKY_CAPTURE_UNSUPPORTED",
    message: expect.stringContaining("Plug'n'Play"),
    hint: expect.stringContaining("nodeLinker: node-modules"),
  });
});
