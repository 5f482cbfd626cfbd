import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test, vi } from "vitest";
import type { Artifact } from "./artifact.ts";

const made: string[] = [];
afterEach(() => {
  vi.unstubAllEnvs();
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function folder(): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "sky-cached-")));
  made.push(path);
  return path;
}

const FILES = {
  "package-lock.json": "{}",
  "package.json": '{"type":"module"}',
  "tsconfig.json": '{"extends":"./tsconfig.base.json",}',
  "tsconfig.base.json": '{/* where */"compilerOptions":{"paths":{"@lib/*":["./src/lib/*","./src/old/*"]}}}',
  "src/main.ts": "",
  "src/a.ts":
    'import { x } from "@lib/x";\nimport { y } from "./y";\nimport p from "plain";\nexport const a = [x, y, p];',
  "src/lib/x.ts": "export const x = 1;",
  "src/other/x.ts": "export const x = 2;",
  "src/y.js": "export const y = 1;",
  "node_modules/plain/package.json": '{"name":"plain","version":"1.0.0","exports":"./one.js"}',
  "node_modules/plain/one.js": "module.exports = 1;",
  "node_modules/plain/two.js": "module.exports = 2;",
};
const ENTRY = 'import { a } from "./a.ts";\nexport const make = () => () => a;\n';

async function project(files: Readonly<Record<string, string>> = FILES): Promise<string> {
  const root = folder();
  await write(root, files);
  return root;
}

/** Files that are changed while they are compiled are not kept, and the clock of files is coarse. */
async function write(root: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  await sleep(25);
}

/** What a new process makes of a function in this project, with this cache. */
async function prepared(root: string, cache: string, text = ENTRY): Promise<Artifact> {
  vi.stubEnv("XDG_CACHE_HOME", cache);
  vi.resetModules();
  const [{ prepare }, { openCache }] = await Promise.all([import("./prepare.ts"), import("../cache/open-cache.ts")]);
  const { artifact } = await prepare({
    name: "train",
    file: join(root, "src/main.ts"),
    kind: "esm",
    text,
    place: () => undefined,
    include: [],
    entryName: `main.sky-${createHash("sha256").update(text).digest("hex").slice(0, 12)}.mjs`,
    modules: [],
    assets: [],
    isHome: () => false,
    declarations: () => [],
  });
  await openCache()?.settled();
  return artifact;
}

const entriesOf = (cache: string): string[] => {
  const base = join(cache, "skyward/artifacts");
  return existsSync(base)
    ? readdirSync(base)
        .flatMap((shard) => readdirSync(join(base, shard)).map((name) => join(base, shard, name)))
        .sort()
    : [];
};
/** Entries with the moments at which they were written: the same again means that nothing had to be made. */
const state = (cache: string): string[] => entriesOf(cache).map((path) => `${path} ${statSync(path).ino}`);

test("a second process makes nothing anew, and comes to the same", async () => {
  const [root, cache] = [await project(), folder()];
  const first = await prepared(root, cache);
  const before = state(cache);
  expect(before.length).toBeGreaterThan(3);
  expect(await prepared(root, cache)).toEqual(first);
  expect(state(cache)).toEqual(before);
});

const CHANGES: readonly (readonly [string, (root: string) => Promise<void> | void])[] = [
  ["a changed file", (root) => write(root, { "src/lib/x.ts": "export const x = 3;" })],
  ["a file that shadows another", (root) => write(root, { "src/y.ts": "export const y = 2;" })],
  [
    "a folder that shadows a package",
    (root) =>
      write(root, {
        "src/node_modules/plain/package.json": "{}",
        "src/node_modules/plain/index.js": "module.exports = 3;",
      }),
  ],
  [
    "other paths in tsconfig",
    (root) => write(root, { "tsconfig.base.json": FILES["tsconfig.base.json"].replace("/lib/", "/other/") }),
  ],
  [
    "a nearer tsconfig",
    (root) => write(root, { "src/tsconfig.json": '{"compilerOptions":{"paths":{"@lib/*":["./other/*"]}}}' }),
  ],
  [
    "a package's other version",
    (root) =>
      write(root, {
        "node_modules/plain/package.json": FILES["node_modules/plain/package.json"].replace("1.0.0", "1.0.1"),
      }),
  ],
  [
    "a package's other exports",
    (root) =>
      write(root, {
        "node_modules/plain/package.json": FILES["node_modules/plain/package.json"].replace("one", "two"),
      }),
  ],
  ["a package's changed file", (root) => write(root, { "node_modules/plain/one.js": "module.exports = 4;" })],
  ["a nearer package.json", (root) => write(root, { "src/package.json": '{"type":"commonjs"}' })],
  [
    "a deleted file that another one stands in for",
    async (root) => {
      await write(root, { "src/old/x.ts": "export const x = 5;" });
      rmSync(join(root, "src/lib/x.ts"));
    },
  ],
  [
    "a package behind another link",
    async (root) => {
      await write(root, { "far/plain/package.json": '{"name":"plain"}', "far/plain/index.js": "module.exports = 6;" });
      rmSync(join(root, "node_modules/plain"), { recursive: true });
      symlinkSync("../far/plain", join(root, "node_modules/plain"));
    },
  ],
];

test.each(CHANGES)("%s is noticed", async (_, change) => {
  const [root, cache] = [await project(), folder()];
  const first = await prepared(root, cache);
  await change(root);
  const second = await prepared(root, cache);
  expect(second.id).not.toBe(first.id);
  expect(second).toEqual(await prepared(root, folder()));
});

test("a deleted file that nothing stands in for is refused", async () => {
  const [root, cache] = [await project(), folder()];
  await prepared(root, cache);
  rmSync(join(root, "src/y.js"));
  await expect(prepared(root, cache)).rejects.toMatchObject({ code: "SKY_CAPTURE_UNRESOLVED" });
});

test("an optional import that leads nowhere is looked for again", async () => {
  const files = { ...FILES, "node_modules/plain/one.js": 'try { module.exports = require("extra"); } catch {}' };
  const [root, cache] = [await project(files), folder()];
  await prepared(root, cache);
  await write(root, { "node_modules/extra/index.js": "module.exports = 1;" });
  const paths = (await prepared(root, cache)).files.map((file) => file.path);
  expect(paths).toContain("node_modules/extra/index.js");
});

test("one changed file costs one compiled file", async () => {
  const [root, cache] = [await project(), folder()];
  await prepared(root, cache);
  const before = new Set(entriesOf(cache));
  await write(root, { "src/lib/x.ts": "export const x = 7;" });
  await prepared(root, cache);
  // The file itself; how the function's imports lead on is kept in the same place as before.
  expect(entriesOf(cache).filter((path) => !before.has(path))).toHaveLength(1);
});

test("what is damaged is made again, also where it only says something else", async () => {
  const [root, cache] = [await project(), folder()];
  const first = await prepared(root, cache);
  const entries = entriesOf(cache);
  for (const [index, path] of entries.entries()) {
    const bytes = readFileSync(path);
    if (index % 3 === 0) truncateSync(path, 10);
    else if (index % 3 === 1)
      writeFileSync(path, Buffer.from(bytes.toString("latin1").replaceAll("const", "c0nst"), "latin1"));
    else writeFileSync(path, readFileSync(entries[(index + 1) % entries.length]!));
  }
  expect(await prepared(root, cache)).toEqual(first);
  const before = state(cache);
  expect(await prepared(root, cache)).toEqual(first);
  expect(state(cache)).toEqual(before);
});

test("folders and files are the user's alone", async () => {
  const [root, cache] = [await project(), folder()];
  await prepared(root, cache);
  const base = join(cache, "skyward/artifacts");
  for (const path of [base, ...readdirSync(base).map((name) => join(base, name))])
    expect(statSync(path).mode & 0o777).toBe(0o700);
  for (const path of entriesOf(cache)) expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("a folder or entry that others could have written is not used", async () => {
  const [root, cache] = [await project(), folder()];
  const first = await prepared(root, cache);
  const entries = entriesOf(cache);
  for (const path of entries) chmodSync(path, 0o666);
  expect(await prepared(root, cache)).toEqual(first);
  for (const path of entriesOf(cache)) expect(statSync(path).mode & 0o777).toBe(0o600); // made anew
  const base = join(cache, "skyward/artifacts");
  rmSync(base, { recursive: true });
  mkdirSync(base);
  chmodSync(base, 0o777);
  expect(await prepared(root, cache)).toEqual(first);
  expect(entriesOf(cache)).toEqual([]);
});

test("without a place to write everything works", async () => {
  const [root, cache] = [await project(), folder()];
  writeFileSync(join(cache, "skyward"), "in the way");
  const first = await prepared(root, cache);
  rmSync(join(cache, "skyward"));
  mkdirSync(join(cache, "skyward/artifacts"), { recursive: true, mode: 0o700 });
  // Where folders of entries would be there are files, so that none can be written.
  for (const digit of "0123456789abcdef") writeFileSync(join(cache, "skyward/artifacts", digit), "");
  expect(await prepared(root, cache)).toEqual(first);
  vi.stubEnv("SKYWARD_CACHE_MB", "0");
  const none = folder();
  expect(await prepared(root, none)).toEqual(first);
  expect(readdirSync(none)).toEqual([]);
});

test("the cache stays within its size, and what was used last stays", async () => {
  const [root, cache] = [await project(), folder()];
  await prepared(root, cache);
  const used = entriesOf(cache);
  vi.stubEnv("SKYWARD_CACHE_MB", "1");
  vi.resetModules();
  const { openCache } = await import("../cache/open-cache.ts");
  const key = (n: number): string => createHash("sha256").update(String(n)).digest("hex");
  const size = (): number =>
    entriesOf(cache).reduce((sum, path) => sum + Math.ceil(statSync(path).size / 4096) * 4096, 0);
  const disk = openCache()!;
  for (let n = 0; n < 400; n++) disk.put(key(n), () => Buffer.alloc(10_000, n));
  await disk.settled();
  expect(size()).toBeLessThanOrEqual(1024 * 1024);
  expect(disk.get(key(399))).toEqual(Buffer.alloc(10_000, 399));
  expect(disk.get(key(0))).toBeUndefined();
  expect(used.some((path) => existsSync(path))).toBe(false);
});
