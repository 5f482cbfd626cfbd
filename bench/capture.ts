// What capture and artifacts cost, in processes of their own: `tsx --conditions=skyward:source bench/capture.ts`.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

const root = join(import.meta.dirname, "..");
const load = (path: string): string => JSON.stringify(pathToFileURL(join(root, path)).href);

/** Lines that each program begins with. */
const HEAD = `
import { fn } from ${load("src/index.ts")};
import { warm } from ${load("src/function/warm.ts")};
import { captureSync } from ${load("src/function/capture/capture.ts")};
import { ByteWriter } from ${load("src/values/byte-writer.ts")};
import { encode } from ${load("src/values/encode.ts")};
import { blob } from ${load("src/function/artifact/store.ts")};
import { brotliCompressSync, constants } from "node:zlib";
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const results = {};
const ms = async (name, body) => { const at = performance.now(); const value = await body(); results[name] = Number((performance.now() - at).toFixed(3)); return value; };
const sizes = (files) => { const all = Buffer.concat(files.map((file) => blob(file.hash))); return { files: files.length, bytes: all.length, compressed: brotliCompressSync(all, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }).length }; };
`;

/** A chain of modules, each of which imports the next. */
function chain(count: number): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, n) => [
      `src/m${n}.ts`,
      `${n + 1 < count ? `import { value as next } from "./m${n + 1}.ts";` : "const next = 0;"}
export interface Shape${n} { readonly name: string; readonly size: number }
export class Model${n} {
  readonly name = "model ${n}";
  constructor(readonly weights: readonly number[]) {}
  sum(): number { return this.weights.reduce((a, b) => a + b, 0); }
}
export const value = next + ${n};
export const table: readonly Shape${n}[] = [{ name: "a", size: value }];
`,
    ]),
  );
}

async function run(files: Readonly<Record<string, string>>, program: string): Promise<unknown> {
  const folder = mkdtempSync(join(tmpdir(), "sky-bench-"));
  try {
    mkdirSync(join(folder, "node_modules"));
    for (const name of ["zod", "lodash"])
      symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name));
    const all = {
      "package-lock.json": "{}",
      "package.json": '{"type":"module"}',
      ...files,
      "src/main.ts": HEAD + program,
    };
    for (const [path, text] of Object.entries(all)) {
      mkdirSync(join(folder, path, ".."), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const tsx = pathToFileURL(join(root, "node_modules/tsx/dist/loader.mjs")).href;
    const args = ["--conditions=skyward:source", "--import", tsx, join(folder, "src/main.ts")];
    return JSON.parse((await promisify(execFile)(process.execPath, args, { cwd: folder })).stdout);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const PROGRAM = `
import { z } from "zod";
import lodash from "lodash";
import { Model0, value } from "./m0.ts";
let rate = 1;
const config = { lr: 0.1, layers: [1, 2, 3] };
const first = fn((x) => [z.number().parse(x), lodash.sum([x]), new Model0([x]).sum() + value]);
const second = fn((x) => new Model0([x, 1]).sum() * value);
const varying = fn((x) => x * rate + config.layers.length);
warm();
await wait(400);
await ms("first function: captured, ms", () => captureSync(first));
const a = await ms("first function: files ready, ms", () => captureSync(first).code.ready());
await ms("second function: captured, ms", () => captureSync(second));
const b = await ms("second function: files ready, ms", () => captureSync(second).code.ready());
captureSync(varying);
const known = new Set(a.files.map((file) => file.hash));
results["first contact"] = sizes(a.files);
results["second function sends"] = sizes(b.files.filter((file) => !known.has(file.hash)));
const N = 20000;
for (let i = 0; i < N; i++) captureSync(first);
let at = performance.now();
for (let i = 0; i < N; i++) captureSync(first);
results["again, constant, us"] = Number((((performance.now() - at) / N) * 1000).toFixed(2));
for (let i = 0; i < 200; i++) { rate = i; captureSync(varying); }
at = performance.now();
for (let i = 0; i < 500; i++) { rate = i; captureSync(varying); }
results["again, varying, ms"] = Number(((performance.now() - at) / 500).toFixed(4));
process.stdout.write(JSON.stringify(results));
`;

const LARGE = `
import { value } from "./m0.ts";
const first = fn(() => value);
const second = fn(() => value + 1);
warm();
await wait(400);
const { code } = captureSync(first);
await ms("200 modules: files ready, ms", () => code.ready());
const other = captureSync(second).code;
await ms("200 modules, unchanged, another function: files ready, ms", () => other.ready());
process.stdout.write(JSON.stringify(results));
`;

console.log(JSON.stringify(await run(chain(20), PROGRAM), undefined, 2));
console.log(JSON.stringify(await run(chain(200), LARGE), undefined, 2));
