import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** 100 ms there and back, and one packet of a hundred is lost, each way. */
const RIG_WEATHER = JSON.stringify({ delayMs: 50, loss: 0.01 });
const SUITES = ["connection", "ssh", "borrowed"].map((name) => `test/machines/${name}.test.ts`);

/** The suites of connections and of `sky.ssh` over a bad way. */
export async function weather(): Promise<void> {
  const root = join(import.meta.dirname, "../../..");
  const words = ["run", "--project", "machines", "--testTimeout", "240000", ...SUITES];
  const child = spawn(join(root, "node_modules/.bin/vitest"), words, {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, RIG_WEATHER },
  });
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) throw new Error(`they fail in this weather (${String(code)})`);
}
