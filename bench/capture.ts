// What capture and artifacts cost: `tsx --conditions=skyward:source bench/capture.ts`. Each round runs each program in two
// processes: one finds an empty cache on disk, the next finds what that one left. Medians of three rounds.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { median } from "./harness.ts";

const root = join(import.meta.dirname, "..");
const load = (path: string): string => JSON.stringify(pathToFileURL(join(root, path)).href);

/** Lines that each program begins with. */
const HEAD = `
import { fn } from ${load("src/index.ts")};
import { warm } from ${load("src/function/warm.ts")};
import { captureSync } from ${load("src/function/capture/capture.ts")};
import { openCache } from ${load("src/function/cache/open-cache.ts")};
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const results = {};
const ms = async (name, body) => { const at = performance.now(); const value = await body(); results[name] = Number((performance.now() - at).toFixed(3)); return value; };
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

const ROUNDS = 3;

type Numbers = Record<string, number>;

/** A project with these files and program, and what its runs print: of one after another, with one cache. */
async function runs(files: Readonly<Record<string, string>>, program: string, times: number): Promise<Numbers[]> {
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
    const env = { ...process.env, XDG_CACHE_HOME: join(folder, "cache") };
    const printed: Numbers[] = [];
    for (let time = 0; time < times; time++) {
      const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder, env });
      printed.push(JSON.parse(stdout) as Numbers);
    }
    return printed;
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
await ms("first function, ms", () => captureSync(first).code.ready());
await ms("next function, ms", () => captureSync(second).code.ready());
captureSync(varying);
const N = 20000;
for (let i = 0; i < N; i++) captureSync(first);
let at = performance.now();
for (let i = 0; i < N; i++) captureSync(first);
results["again, constant, us"] = Number((((performance.now() - at) / N) * 1000).toFixed(2));
for (let i = 0; i < 200; i++) { rate = i; captureSync(varying); }
at = performance.now();
for (let i = 0; i < 500; i++) { rate = i; captureSync(varying); }
results["again, varying, ms"] = Number(((performance.now() - at) / 500).toFixed(4));
await openCache()?.settled();
process.stdout.write(JSON.stringify(results));
`;

const LARGE = `
import { value } from "./m0.ts";
const first = fn(() => value);
const second = fn(() => value + 1);
warm();
await wait(400);
const { code } = captureSync(first);
await ms("200 modules, ms", () => code.ready());
const other = captureSync(second).code;
await ms("200 modules, unchanged, another function, ms", () => other.ready());
await openCache()?.settled();
process.stdout.write(JSON.stringify(results));
`;

const WIRE = `
import { compute } from ${load("src/index.ts")};
import { z } from "zod";
import lodash from "lodash";
import { Model0, value } from "./m0.ts";
const first = fn((x) => [z.number().parse(x), lodash.sum([x]), new Model0([x]).sum() + value]);
const second = fn((x) => new Model0([x, 1]).sum() * value);
await compute({ nodes: 1, console: "silent" }, async (pool) => {
  const sent = () => pool.stats()[0].bytesSent;
  const bytes = async (name, pending) => { const before = sent(); await pool.run(pending); results[name] = sent() - before; };
  await bytes("zod, lodash and 20 files, first contact, B sent", first(1));
  await bytes("the next function, B sent", second(1));
  await bytes("again, B sent", second(2));
});
process.stdout.write(JSON.stringify(results));
`;

function medians(rounds: readonly Numbers[]): Numbers {
  return Object.fromEntries(Object.keys(rounds[0]!).map((name) => [name, median(rounds.map((one) => one[name]!))]));
}

const columns: Record<string, Numbers[]> = { "empty cache": [], "warm cache": [] };
for (let round = 0; round < ROUNDS; round++) {
  const small = await runs(chain(20), PROGRAM, 2);
  const large = await runs(chain(200), LARGE, 2);
  for (const [index, column] of Object.values(columns).entries()) column.push({ ...small[index]!, ...large[index]! });
}
const [wire] = await runs(chain(20), WIRE, 1);
for (const [name, rounds] of Object.entries(columns)) console.log(name, medians(rounds));
console.log("on the wire", wire);
