import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { dirname, join, normalize, sep } from "node:path";
import { SkyError } from "../../errors/sky-error.ts";
import type { CodeRecord, ExternalRecord, NpmSettings } from "../../wire/records.ts";
import { changedTree, type Thing } from "../../wire/tree.ts";
import * as task from "../../task/index.ts";
import type { Installer } from "./install/installer.ts";
import { wholeBlobs } from "./whole-blobs.ts";

/** One generation of the tree. */
interface Tree {
  readonly root: string;
  /** What lies at a place: a file's hash, a link's target, what a native package is from. */
  readonly placed: Map<string, string>;
}

/**
 * The files of a program's functions on this node: blobs by hash, and one tree in the program's own layout that only
 * grows. A second content for a path opens a new generation of the tree.
 */
export class Library {
  readonly #dir: string;
  readonly #installer: Installer;
  readonly #natives = new Set<number>();
  readonly #entries = new Map<number, string>();
  readonly #things = new Map<number, readonly Thing[]>();
  readonly #kept = new Set<string>();
  #generation = 0;
  #tree: Tree;

  constructor(dir: string, installer: Installer) {
    this.#dir = dir;
    this.#installer = installer;
    // What an earlier host of this node left: its files stay where they are what they were.
    rmSync(join(dir, "tree"), { recursive: true, force: true });
    mkdirSync(join(dir, "blobs"), { recursive: true, mode: 0o700 });
    for (const hash of wholeBlobs(join(dir, "blobs"))) this.#kept.add(hash);
    this.#tree = this.#open();
  }

  /** Keeps a file's content, which must have the hash that it comes under. */
  addBlob(hash: string, content: Uint8Array): void {
    const actual = createHash("sha256").update(content).digest("hex");
    if (actual !== hash) throw new SkyError("SKY_WIRE_MALFORMED", `a blob announced as ${hash} has the hash ${actual}`);
    this.#keep(hash, content);
  }

  /** Keeps files that come together: each as u32 length and content. */
  addFiles(files: Buffer): void {
    for (let at = 0; at < files.length;) {
      const end = at + 4 <= files.length ? at + 4 + files.readUInt32LE(at) : Infinity;
      if (end > files.length) throw new SkyError("SKY_WIRE_MALFORMED", "a file is cut off");
      const content = files.subarray(at + 4, end);
      this.#keep(createHash("sha256").update(content).digest("hex"), content);
      at = end;
    }
  }

  /** The hashes of all files that are here, one behind the other. */
  get kept(): Buffer {
    return Buffer.from([...this.#kept].join(""), "hex");
  }

  /** A session may send what another one has sent. */
  #keep(hash: string, content: Uint8Array): void {
    if (this.#kept.has(hash)) return;
    writeFileSync(this.blob(hash), content, { mode: 0o444, flag: "w" });
    this.#kept.add(hash);
  }

  /**
   * Puts a function's files in place; they are whole before anything is imported. The promise, which is there when native
   * packages are, resolves when these are in place too, or rejects with SKY_INSTALL_FAILED.
   * @throws SkyError SKY_WIRE_MALFORMED
   */
  addCode({ code, entry, base, added, gone, externals = [], npm }: CodeRecord): Promise<unknown> | undefined {
    const before = base === undefined ? [] : this.#things.get(base);
    if (before === undefined) throw new SkyError("SKY_WIRE_MALFORMED", `code ${base} was never sent`);
    const things = changedTree(before, { added, gone });
    const wanted = [...things, ...externals.map((external) => [external.path, sourceOf(external)] as const)];
    if (wanted.some(([path, is]) => (this.#tree.placed.get(path) ?? is) !== is)) this.#tree = this.#open();
    const tree = this.#tree;
    for (const [path, what] of things) {
      if (tree.placed.has(path)) continue;
      this.#place(tree, path, what);
      tree.placed.set(path, what);
    }
    this.#things.set(code, things);
    this.#entries.set(code, inTree(tree, entry));
    if (externals.length === 0) return undefined;
    this.#natives.add(code);
    return Promise.all(externals.map((external) => this.#external(tree, external, npm)));
  }

  #place(tree: Tree, path: string, what: string): void {
    if (!what.startsWith(">")) return linkSync(this.blob(what), this.#makeRoom(tree, path));
    const target = what.slice(1);
    inTree(tree, join(dirname(path), target));
    symlinkSync(target, this.#makeRoom(tree, path));
  }

  async #external(tree: Tree, external: ExternalRecord, npm: NpmSettings | undefined): Promise<void> {
    const path = this.#makeRoom(tree, external.path);
    const { home, plan } = external;
    const target = home ?? (await this.#installer.install(readFileSync(this.blob(plan ?? "")), npm ?? { rc: "" }));
    // Two functions may have waited for the same package.
    if (!existsSync(path)) symlinkSync(target, path);
    tree.placed.set(external.path, sourceOf(external));
  }

  /** Whether packages were installed here for it, with code of their own. */
  isNative(code: number): boolean {
    return this.#natives.has(code);
  }

  entry(code: number): string {
    const entry = this.#entries.get(code);
    if (!entry) throw new SkyError("SKY_WIRE_MALFORMED", `code ${code} was never sent`);
    return entry;
  }

  /** The file with a content that has come. @throws SkyError SKY_WIRE_MALFORMED */
  blob(hash: string): string {
    if (!/^[0-9a-f]{64}$/.test(hash)) throw new SkyError("SKY_WIRE_MALFORMED", "a blob's hash is 64 hex digits");
    return join(this.#dir, "blobs", hash);
  }

  /** The path of a place, with the folders above it. */
  #makeRoom(tree: Tree, place: string): string {
    const path = inTree(tree, place);
    mkdirSync(dirname(path), { recursive: true });
    return path;
  }

  /** A new generation, with the package that stands for ours: it re-exports what the executor has put on the global object. */
  #open(): Tree {
    this.#generation++;
    const tree = { root: join(this.#dir, "tree", String(this.#generation)), placed: new Map<string, string>() };
    const dir = join(tree.root, "node_modules", "skyward");
    mkdirSync(dir, { recursive: true });
    const names = Object.keys(task).filter((name) => name !== "default");
    const reserved = new Set(["default"]);
    const lines = names
      .filter((name) => !reserved.has(name))
      .map((name) => `const x_${name} = t.${name};\nexport { x_${name} as ${name} };`);
    const head = `const t = globalThis[Symbol.for("skyward.task")];\n`;
    writeFileSync(join(dir, "index.mjs"), head + lines.join("\n") + "\n");
    writeFileSync(join(dir, "index.cjs"), `module.exports = globalThis[Symbol.for("skyward.task")];\n`);
    writeFileSync(
      join(dir, "package.json"),
      JSON.stringify({
        name: "skyward",
        version: "0.0.0",
        exports: { ".": { import: "./index.mjs", require: "./index.cjs" } },
      }),
    );
    return tree;
  }
}

/** What a native package is from: another one at the same place opens a new generation. */
function sourceOf({ home, plan }: ExternalRecord): string {
  return home ?? plan ?? "";
}

/** The path inside the tree; one that leaves it is refused. */
function inTree({ root }: Tree, path: string): string {
  const plain = normalize(path);
  if (plain.startsWith("..") || plain.startsWith(sep) || path.includes("\0"))
    throw new SkyError("SKY_WIRE_MALFORMED", `the path ${JSON.stringify(path)} leaves the tree`);
  return join(root, plain);
}
