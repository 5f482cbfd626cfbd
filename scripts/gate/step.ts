import { spawn } from "node:child_process";

export interface Count {
  readonly passed: number;
  readonly failed: number;
}

/** One line of the gate: a command, and how its outcome is counted. */
export interface Step {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** Counts the tests of a step that has them. @default one passed or failed, by the exit status */
  readonly count?: (ok: boolean) => Count;
  /** What to do when it fails on a machine where something is missing. */
  readonly hint?: string;
}

export interface Outcome extends Count {
  readonly name: string;
  readonly seconds: number;
}

/**
 * Runs a step to its end without standard input. Output of a step with tests is shown as it comes; that of a check
 * only when it fails.
 */
export async function runStep(step: Step, root: string): Promise<Outcome> {
  const started = performance.now();
  const live = step.count !== undefined;
  const { ok, output } = await run(step, root, live);
  const seconds = (performance.now() - started) / 1000;
  const counted = step.count?.(ok) ?? { passed: ok ? 1 : 0, failed: ok ? 0 : 1 };
  // A suite that ends badly has failed, whatever it counted.
  const count = !ok && counted.failed === 0 ? { ...counted, failed: 1 } : counted;
  const word = count.failed === 0 ? "ok    " : "FAILED";
  console.log(`${word} ${step.name} (${count.passed} passed, ${count.failed} failed) ${seconds.toFixed(1)} s`);
  if (count.failed > 0 && !live) console.log(output);
  if (count.failed > 0 && step.hint !== undefined) console.log(`       ${step.hint}`);
  return { name: step.name, seconds, ...count };
}

function run(step: Step, root: string, live: boolean): Promise<{ ok: boolean; output: string }> {
  const [file, ...args] = step.command;
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, CI: "true", NO_COLOR: "1" },
    });
    const chunks: Buffer[] = [];
    const take = (chunk: Buffer, to: NodeJS.WriteStream): void => {
      if (live) to.write(chunk);
      else chunks.push(chunk);
    };
    child.stdout.on("data", (chunk: Buffer) => take(chunk, process.stdout));
    child.stderr.on("data", (chunk: Buffer) => take(chunk, process.stderr));
    child.once("error", (error) => resolve({ ok: false, output: error.message }));
    child.once("close", (code) => resolve({ ok: code === 0, output: Buffer.concat(chunks).toString() }));
  });
}
