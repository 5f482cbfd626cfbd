// Runs in a process of its own: a user's file, up to where it opens a pool. It reports what functions the file made.
import { writeSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type { AnyFn } from "../../function/brand.ts";
import { startChecking } from "../../function/checking.ts";
import type { ExplainedData } from "../../function/explain/explanation.ts";
import { type Failure, type Report, REPORT_FD } from "./report.ts";

/** How long a file may go on after it asked for a pool, when something of it keeps the process alive. */
const GRACE_MS = 1000;

type Explainable = AnyFn & { explain?(): Promise<{ toJSON(): ExplainedData }> };

/** Ends what called `process.exit`, as far as can be. */
class Leaving extends Error {}

const exit = process.exit.bind(process);
const functions: Explainable[] = [];
let opens: string | undefined;
let failure: Failure | undefined;

await run(process.argv[2]!);
const report: Report = {
  functions: await explainAll(),
  ...(opens === undefined ? {} : { opens }),
  ...(failure === undefined ? {} : { failure }),
};
writeAll(Buffer.from(JSON.stringify(report)));
exit(0);

/** Runs the file until it is evaluated, fails, leaves, or waits for a pool. */
async function run(file: string): Promise<void> {
  process.argv.splice(1, 2, file);
  await new Promise<void>((resolve) => {
    const fail = (error: unknown): void => {
      failure ??= failureOf(error);
      resolve();
    };
    startChecking({
      made: (fn) => functions.push(fn),
      opens: () => {
        opens ??= placeOfCaller(new Error().stack ?? "");
        // The file may have more to say before it waits. When all that is left is to wait, nothing keeps the process alive.
        process.once("beforeExit", () => resolve());
        setTimeout(resolve, GRACE_MS).unref();
        return new Promise<never>(() => {});
      },
    });
    process.exit = (): never => {
      resolve();
      throw new Leaving();
    };
    process.on("uncaughtException", (error) => (error instanceof Leaving ? undefined : fail(error)));
    import(pathToFileURL(file).href).then(
      () => resolve(),
      (error: unknown) => (error instanceof Leaving ? resolve() : fail(error)),
    );
    process.once("beforeExit", () => resolve());
  });
}

async function explainAll(): Promise<ExplainedData[]> {
  const found: ExplainedData[] = [];
  for (const fn of functions) {
    const explanation = await fn.explain?.();
    if (explanation !== undefined) found.push(explanation.toJSON());
  }
  return found;
}

/** The first frame behind those of the package: of `compute`, and of what listens. */
function placeOfCaller(stack: string): string | undefined {
  const frames = stack.split("\n").flatMap((line) => /\(?((?:file:\/\/)?\/[^()]*:\d+):\d+\)?$/.exec(line)?.[1] ?? []);
  const folder = frames[1]?.replace(/[^/]*$/, "");
  return frames
    .slice(2)
    .find((frame) => folder === undefined || !frame.startsWith(folder))
    ?.replace(/^file:\/\//, "");
}

function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { name: "Error", message: String(error), stack: String(error) };
  const { name, message, stack = "" } = error;
  const { code, hint } = error as { code?: unknown; hint?: unknown };
  return {
    name,
    message,
    stack,
    ...(typeof code === "string" ? { code } : {}),
    ...(typeof hint === "string" ? { hint } : {}),
  };
}

function writeAll(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(REPORT_FD, bytes, at);
}
