import { linkSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { dirname, join, normalize, sep } from "node:path";
import { SkyError } from "../../errors/sky-error.ts";
import type { CodeRecord } from "../../wire/records.ts";
import * as task from "../../task/index.ts";

/**
 * The files of a program's functions on this node: blobs by hash, and one tree in the program's own layout that only
 * grows. A second content for a path opens a new generation of the tree.
 */
export class Library {
  readonly #dir: string;
  readonly #entries = new Map<number, string>();
  #generation = 0;
  #placed = new Map<string, string>();

  constructor(dir: string) {
    this.#dir = dir;
    // What an earlier host of this node left: the controller sends everything anew.
    for (const left of ["blobs", "tree"]) rmSync(join(dir, left), { recursive: true, force: true });
    mkdirSync(join(dir, "blobs"), { recursive: true, mode: 0o700 });
    this.#open();
  }

  /** Keeps a file's content, which must have the hash that it comes under. */
  addBlob(hash: string, content: Uint8Array): void {
    const actual = createHash("sha256").update(content).digest("hex");
    if (actual !== hash) throw new SkyError("SKY_WIRE_MALFORMED", `a blob announced as ${hash} has the hash ${actual}`);
    writeFileSync(this.#blob(hash), content, { mode: 0o444, flag: "w" });
  }

  /** Puts a function's files in place; they are whole before anything is imported. */
  addCode(code: CodeRecord): void {
    const changed = code.files.some((file) => (this.#placed.get(file.path) ?? file.hash) !== file.hash);
    if (changed) this.#open();
    for (const file of code.files) {
      if (this.#placed.has(file.path)) continue;
      const path = this.#inTree(file.path);
      mkdirSync(dirname(path), { recursive: true });
      linkSync(this.#blob(file.hash), path);
      this.#placed.set(file.path, file.hash);
    }
    for (const link of code.links) {
      if (this.#placed.has(link.path)) continue;
      const path = this.#inTree(link.path);
      this.#inTree(join(dirname(link.path), link.target));
      mkdirSync(dirname(path), { recursive: true });
      symlinkSync(link.target, path);
      this.#placed.set(link.path, `-> ${link.target}`);
    }
    this.#entries.set(code.code, this.#inTree(code.entry));
  }

  entry(code: number): string {
    const entry = this.#entries.get(code);
    if (!entry) throw new SkyError("SKY_WIRE_MALFORMED", `code ${code} was never sent`);
    return entry;
  }

  #blob(hash: string): string {
    if (!/^[0-9a-f]{64}$/.test(hash)) throw new SkyError("SKY_WIRE_MALFORMED", "a blob's hash is 64 hex digits");
    return join(this.#dir, "blobs", hash);
  }

  /** The path inside the tree; one that leaves it is refused. */
  #inTree(path: string): string {
    const plain = normalize(path);
    if (plain.startsWith("..") || plain.startsWith(sep) || path.includes("\0"))
      throw new SkyError("SKY_WIRE_MALFORMED", `the path ${JSON.stringify(path)} leaves the tree`);
    return join(this.#root, plain);
  }

  get #root(): string {
    return join(this.#dir, "tree", String(this.#generation));
  }

  /** A new generation, with the package that stands for ours: it re-exports what the executor has put on the global object. */
  #open(): void {
    this.#generation++;
    this.#placed = new Map();
    const dir = join(this.#root, "node_modules", "skyward");
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
  }
}
