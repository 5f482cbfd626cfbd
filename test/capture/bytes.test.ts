import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { duplexPair } from "node:stream";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterEach, expect, test, vi } from "vitest";
import { Installer } from "../../src/agent/host/install/installer.ts";
import { Library } from "../../src/agent/host/library.ts";
import type { Artifact } from "../../src/function/artifact/artifact.ts";
import { keep } from "../../src/function/artifact/store.ts";
import { FileShipping } from "../../src/pool/node/file-shipping.ts";
import { TreeShipping } from "../../src/pool/node/tree-shipping.ts";
import { Op, PACK_MAX_BYTES } from "../../src/wire/ops.ts";
import { unpack } from "../../src/wire/packed.ts";
import type { CodeRecord } from "../../src/wire/records.ts";
import { Session } from "../../src/wire/session.ts";
import { SmallProject } from "../support/small-project.ts";

/** What a function costs on the wire, counted: zod, lodash and 20 files of the user's own, 30 kB, each importing the next. */
const MODULES = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`src/m${n}.ts`, module(n)]));
const PACKAGES = { packages: ["zod", "lodash"] };

function module(n: number): string {
  return `${n < 19 ? `import { value as next } from "./m${n + 1}.ts";` : "const next = 0;"}
export interface Shape${n} { readonly name: string; readonly size: number }
${Array.from(
  { length: 4 },
  (_, m) => `export class Model${n}x${m} {
  readonly name = "model ${n} ${m}";
  constructor(readonly weights: readonly number[]) {}
  /** The sum of weights ${createHash("sha256").update(`${n} ${m}`).digest("hex")} */
  sum(): number { return this.weights.reduce((a, b) => a + b * ${n + m}, ${n}); }
}
`,
).join("")}
export const value = next + ${n};
`;
}

const MAIN = `
import * as sky from "skyward";
import { z } from "zod";
import lodash from "lodash";
import { Model0x0, value } from "./m0.ts";
const first = sky.fn((x: number) => [z.number().parse(x), lodash.sum([x]), new Model0x0([x]).sum() + value]);
const second = sky.fn((x: number) => new Model0x0([x, 1]).sum() * value + lodash.sum([x]));
await sky.compute({ nodes: 1, console: "silent" }, async (pool) => {
  const sent = () => pool.stats()[0]!.bytesSent;
  const before = sent();
  const a = await pool.run(first(1));
  const afterFirst = sent();
  const b = await pool.run(second(2));
  console.log(JSON.stringify({ results: [a, b], first: afterFirst - before, second: sent() - afterFirst }));
});
`;

test("first contact takes less than 300 kB, the next function less than 1 kB", async () => {
  using project = new SmallProject({ ...MODULES, "src/main.ts": MAIN }, PACKAGES);
  const tsx = pathToFileURL(join(import.meta.dirname, "../../node_modules/tsx/dist/loader.mjs")).href;
  const args = ["--conditions=skyward:source", "--import", tsx, "src/main.ts"];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: project.root });
  const { results, first, second } = JSON.parse(stdout) as { results: unknown; first: number; second: number };
  expect(results).toEqual([[1, 1, 190], 2]);
  expect(first).toBeLessThanOrEqual(300_000);
  expect(second).toBeLessThanOrEqual(1000);
});

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** What a new process makes of this entry. */
async function artifactOf(root: string): Promise<Artifact> {
  vi.resetModules();
  const { prepare } = await import("../../src/function/artifact/prepare.ts");
  const { blob } = await import("../../src/function/artifact/store.ts");
  const { artifact } = await prepare({
    name: "train",
    file: join(root, "src/main.ts"),
    kind: "esm",
    text: 'import { z } from "zod";\nimport lodash from "lodash";\nimport { value } from "./m0.ts";\nexport const make = () => () => [z, lodash, value];\n',
    entryName: "main.sky-123456789012.mjs",
    place: () => undefined,
    include: [],
    modules: [],
    assets: [],
    isHome: () => false,
    declarations: () => [],
  });
  for (const { hash } of artifact.files) keep(blob(hash)!);
  return artifact;
}

/** A controller's end of a link whose other end is a node's library of files. */
function linked(): {
  readonly send: (code: number, artifact: Artifact) => Promise<number>;
  readonly tree: (n: number) => string;
} {
  const dir = mkdtempSync(join(tmpdir(), "sky-bytes-"));
  folders.push(dir);
  const library = new Library(
    dir,
    new Installer(dir, { installing() {}, installed() {}, pushedNpm: () => Promise.resolve(undefined) }),
  );
  let placed = (): void => undefined;
  const [here, there] = duplexPair();
  const host: Session = new Session({
    record: (op, buf, start, end) => {
      const body = Buffer.from(buf.subarray(start, end));
      if (op === Op.FILES) {
        const content = body[0] === 1 ? host.channels.take(body.readUInt32LE(1)) : body.subarray(1);
        library.addFiles(unpack(content, PACK_MAX_BYTES));
      } else if (op === Op.CODE) {
        void library.addCode(JSON.parse(unpack(body, PACK_MAX_BYTES).toString()) as CodeRecord);
        placed();
      }
    },
    down: () => undefined,
  });
  const session = new Session({ record: () => undefined, down: () => undefined });
  host.attach(there, 0);
  session.attach(here, 0);
  const files = new FileShipping(session);
  const trees = new TreeShipping(session);
  return {
    tree: (n) => join(dir, "tree", String(n)),
    send: async (code, artifact) => {
      const before = session.counters.bytesSent;
      await new Promise<void>((resolve) => {
        placed = resolve;
        files.send(artifact.files, () => trees.send(code, artifact, {}));
        session.flush();
      });
      return session.counters.bytesSent - before;
    },
  };
}

test("a changed line takes less than 1 kB, and is a generation of the tree", async () => {
  using project = new SmallProject({ ...MODULES, "src/main.ts": "" }, PACKAGES);
  const before = await artifactOf(project.root);
  project.write({ "src/m9.ts": MODULES["src/m9.ts"]!.replace("a + b", "a - b") });
  const after = await artifactOf(project.root);
  const { send, tree } = linked();
  expect(await send(1, before)).toBeLessThanOrEqual(300_000);
  expect(await send(2, after)).toBeLessThanOrEqual(1000);
  expect(await send(3, before)).toBeLessThanOrEqual(300);
  const names = (n: number): string[] =>
    readdirSync(tree(n), { recursive: true, encoding: "utf8" }).filter(
      (name) => !name.startsWith("node_modules/skyward"),
    );
  expect(names(2).sort()).toEqual(names(1).sort());
  expect(readFileSync(join(tree(1), "src/m9.js"), "utf8")).toContain("a + b");
  expect(readFileSync(join(tree(2), "src/m9.js"), "utf8")).toContain("a - b");
  expect(readFileSync(join(tree(2), "src/m8.js"), "utf8")).toBe(readFileSync(join(tree(1), "src/m8.js"), "utf8"));
});
