import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A registry of packages that lets in who shows its token. */
export class Registry implements AsyncDisposable {
  readonly token = "the-secret-of-the-registry";
  /** Archives that were asked for with the token, by path. */
  readonly served: string[] = [];
  /** Command lines that ran while an archive was asked for. */
  readonly commands: string[] = [];
  readonly #archives = new Map<string, Buffer>();
  /** By name and version. */
  readonly #versions = new Map<string, Map<string, object>>();
  readonly #server: Server;
  #gate: Promise<void> = Promise.resolve();
  #release: () => void = () => {};
  #asked: () => void = () => {};

  private constructor() {
    this.#server = createServer((request, response) => {
      const path = decodeURIComponent(request.url ?? "");
      if (path === "/release") {
        this.#release();
        return void response.end();
      }
      this.commands.push(execFileSync("ps", ["-eo", "args"], { encoding: "utf8" }));
      const archive = this.#archives.get(path);
      const known = request.headers.authorization === `Bearer ${this.token}`;
      const versions = this.#versions.get(path.slice(1));
      if (known && versions !== undefined) return void response.end(packument(path.slice(1), versions));
      if (!known || archive === undefined) return void response.writeHead(known ? 404 : 401).end("{}");
      this.served.push(path);
      this.#asked();
      void this.#gate.then(() => response.end(archive));
    });
  }

  static async start(): Promise<Registry> {
    const registry = new Registry();
    await new Promise<void>((resolve) => registry.#server.listen(0, "127.0.0.1", resolve));
    return registry;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** Archives wait until somebody asks for `/release`. Resolves when somebody waits for one. */
  hold(): Promise<void> {
    this.#gate = new Promise((resolve) => (this.#release = resolve));
    return new Promise((resolve) => (this.#asked = resolve));
  }

  release(): void {
    this.#release();
  }

  /** Takes a package's folder in. @returns what a lockfile says of it */
  add(name: string, version: string, folder: string): { readonly version: string; readonly integrity: string } {
    const dir = mkdtempSync(join(tmpdir(), "archive-"));
    try {
      const file = join(dir, "package.tgz");
      execFileSync("tar", ["-czf", file, "--transform", "s,^\\.,package,", "-C", folder, "."]);
      const archive = readFileSync(file);
      this.#archives.set(`/${name}/-/${name.slice(name.indexOf("/") + 1)}-${version}.tgz`, archive);
      const integrity = `sha512-${createHash("sha512").update(archive).digest("base64")}`;
      const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as object;
      const tarball = `${this.url}${name}/-/${name.slice(name.indexOf("/") + 1)}-${version}.tgz`;
      const versions = this.#versions.get(name) ?? new Map<string, object>();
      this.#versions.set(name, versions.set(version, { ...manifest, dist: { tarball, integrity } }));
      return { version, integrity };
    } finally {
      rmSync(dir, { recursive: true });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#release();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function packument(name: string, versions: ReadonlyMap<string, object>): string {
  const newest = [...versions.keys()].at(-1);
  return JSON.stringify({ name, "dist-tags": { latest: newest }, versions: Object.fromEntries(versions) });
}
