import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const MAKE_WHEEL = `
import sys, zipfile
path, name, version, text = sys.argv[1:]
info = f"{name}-{version}.dist-info"
with zipfile.ZipFile(path, "w") as wheel:
    wheel.writestr(f"{name}.py", text)
    wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n")
    wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    wheel.writestr(f"{info}/RECORD", "")
`;

/** An index of Python packages, as pip and uv read it. */
export class PackageIndex implements AsyncDisposable {
  /** Names that were asked for. */
  readonly asked = new Set<string>();
  readonly #wheels = new Map<string, Buffer>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const [, name = "", file = ""] = (request.url ?? "").split("/");
      this.asked.add(name);
      if (file !== "") return void response.writeHead(this.#wheels.has(file) ? 200 : 404).end(this.#wheels.get(file));
      const files = [...this.#wheels.keys()].filter((one) => one.startsWith(`${name}-`));
      response.setHeader("content-type", "text/html");
      response.writeHead(files.length > 0 ? 200 : 404);
      response.end(files.map((one) => `<a href="/${name}/${one}">${one}</a>`).join("\n"));
    });
  }

  static async start(): Promise<PackageIndex> {
    const index = new PackageIndex();
    await new Promise<void>((resolve) => index.#server.listen(0, "127.0.0.1", resolve));
    return index;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Takes in a package with one module, whose text is `text`. */
  add(name: string, version: string, text: string): void {
    const dir = mkdtempSync(join(tmpdir(), "wheel-"));
    const file = `${name}-${version}-py3-none-any.whl`;
    execFileSync("python3", ["-c", MAKE_WHEEL, join(dir, file), name, version, text]);
    this.#wheels.set(file, readFileSync(join(dir, file)));
    rmSync(dir, { recursive: true });
  }

  /** Takes in a wheel as it is. */
  addWheel(file: string, bytes: Buffer): void {
    this.#wheels.set(file, bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
