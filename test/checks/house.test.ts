import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { hostKeyFaults } from "../../scripts/checks/host-keys.ts";
import { importFaults } from "../../scripts/checks/imports.ts";
import { sourceFaults } from "../../scripts/checks/source.ts";

const LINE =
  "`errors <- values <- wire <- events | function, collections, image, ssh, storage, offers <- providers <- plugins, config <- pool <- jobs <- server, client <- console, cli`";
const roots: string[] = [];

/** A repository with these files below src. */
function house(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), "skyward-house-"));
  roots.push(root);
  const all = { "../docs/architecture.md": `The arrows: ${LINE}.\n`, ...files };
  for (const [name, text] of Object.entries(all)) {
    const path = join(root, "src", name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return root;
}

const faultsOf = (files: Record<string, string>): string[] => importFaults(house(files));

afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true });
});

describe("the check of imports", () => {
  it("lets rooms import what stands before them, and the front door everything", () => {
    expect(
      faultsOf({
        "index.ts": 'export * from "./pool/pool.ts"; export * from "./console/log.ts";',
        "pool/pool.ts":
          'import "../wire/x.ts"; import "../providers/provider.ts"; import "../agent/config.ts"; import "node:fs";',
        "wire/x.ts": 'import "../errors/e.ts"; import "node:net";',
        "agent/main.ts": 'import "../wire/x.ts"; import "../plugins/cuda/node.ts"; import "../task/index.ts";',
        "cli/app.ts": 'import "../console/log.ts";',
        "errors/e.test.ts": 'import "../pool/pool.ts";',
      }),
    ).toEqual([]);
  });

  it.each([
    ["against the arrows", "values/a.ts", 'import "../wire/x.ts";', "values may not know wire"],
    ["of a later neighbour", "console/a.ts", 'import "../cli/x.ts";', "console may not know cli"],
    ["across a bar", "function/a.ts", 'import "../events/x.ts";', "function may not know events"],
    ["of a type", "values/a.ts", 'import type { X } from "../pool/x.ts";', "values may not know pool"],
    ["by import()", "values/a.ts", 'const x = () => import("../pool/x.ts");', "values may not know pool"],
    ["by the type import()", "values/a.ts", 'type X = import("../pool/x.ts").X;', "values may not know pool"],
    ["by a re-export", "values/a.ts", 'export * from "../pool/x.ts";', "values may not know pool"],
    ["of a provider", "pool/a.ts", 'import "../providers/local/local.ts";', "only the files at their top"],
    [
      "of the agent's inside",
      "pool/a.ts",
      'import "../agent/host/run.ts";',
      "only the files at its top, not agent/host/run.ts",
    ],
    ["by the agent", "agent/a.ts", 'import "../pool/x.ts";', "agent may not know pool/x.ts"],
    ["by the task", "task/a.ts", 'import "../agent/config.ts";', "task may not know agent/config.ts"],
    ["of the front door", "pool/a.ts", 'import "../index.ts";', "front door"],
    ["of Node in a pure room", "pool/core/a.ts", 'import "node:fs";', "this room is pure: node:fs"],
    ["by a room outside the line", "attic/a.ts", 'import "../errors/e.ts";', "the room attic is not in the line"],
  ])("refuses an import %s", (_, file, text, fault) => {
    expect(faultsOf({ [file]: `\n${text}` })).toEqual([
      expect.stringMatching(new RegExp(`^src/${file}:2: .*${fault}`)),
    ]);
  });

  it("allows node:buffer in a pure room", () => {
    expect(faultsOf({ "values/a.ts": 'import { Buffer } from "node:buffer";' })).toEqual([]);
  });

  it("finds files that import each other, unless only for types", () => {
    const circle = (word: string): string[] =>
      faultsOf({
        "pool/a.ts": 'import "./b.ts";',
        "pool/b.ts": 'import "./c.ts";',
        "pool/c.ts": `import ${word} from "./a.ts";`,
      });
    expect(circle("{ a }")).toEqual(["files import each other in a circle: pool/a.ts, pool/b.ts, pool/c.ts"]);
    expect(circle("type { A }")).toEqual([]);
    expect(circle("{ type A }")).toEqual([]);
  });

  it("needs the line", () => {
    expect(() => faultsOf({ "../docs/architecture.md": "no arrows" })).toThrow(/errors <- values/);
  });
});

describe("the check of sources", () => {
  it("finds files that are too long, left undone or step around the types", () => {
    const root = house({
      "a/long.ts": "\n".repeat(401),
      "a/undone.ts": `// ${"TO"}DO: later`,
      "a/loose.ts": `// @ts-${"ignore"}`,
      "a/fine.ts": "export const company = 1;\n",
    });
    expect(sourceFaults(root)).toEqual([
      "src/a/long.ts has 401 lines; at most 400",
      expect.stringMatching(/^src\/a\/loose\.ts:1/),
      expect.stringMatching(/^src\/a\/undone\.ts:1/),
    ]);
  });
});

describe("the check of host keys", () => {
  const good = "const client = new Client();\nclient.connect({ hostVerifier: (key: Buffer) => verified(key) });";
  it("finds nothing where every connection is verified", () => {
    expect(hostKeyFaults(house({ "ssh/connection.ts": good }))).toEqual([]);
  });
  it.each([
    ["a connection without a verifier", { "ssh/connection.ts": `${good}\nother.connect({});` }, /without a verifier/],
    ["one that is opened elsewhere", { "providers/x/x.ts": good }, /are opened by ssh\/connection\.ts/],
    ["an option of OpenSSH", { "cli/x.ts": '"-o", "StrictHostKeyChecking=no"' }, /only KnownHosts says/],
  ])("finds %s", (_what, files, fault) => {
    expect(hostKeyFaults(house(files))).toEqual([expect.stringMatching(fault)]);
  });
});
