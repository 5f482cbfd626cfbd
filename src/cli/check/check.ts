import type { CommandContext } from "@stricli/core";
import { existsSync, statSync } from "node:fs";
import { relative, resolve } from "node:path";
import { colorsFor, wantsColors } from "../../console/colors.ts";
import { nearest } from "../../errors/nearest.ts";
import type { CheckFlags } from "./command.ts";
import type { Failure, Report } from "./report.ts";
import { runFile } from "./run-file.ts";
import { explanationText, type Paint } from "../../function/explain/text.ts";

/** Shows what would travel with each function of a file. */
export async function check(this: CommandContext, { function: wanted, json }: CheckFlags, path: string): Promise<void> {
  const file = resolve(path);
  if (!existsSync(file)) return fail(`there is no file ${path}`, 2);
  if (!statSync(file).isFile()) return fail(`${path} is not a file`, 2);
  const found = await runFile(file);
  const functions = found.functions.filter((item) => wanted === undefined || item.name === wanted);
  const report: Report = { ...found, functions };
  const good =
    functions.length > 0 && found.failure === undefined && functions.every((item) => item.refused === undefined);
  if (!good) process.exitCode = 1;
  if (json) {
    process.stdout.write(`${JSON.stringify({ file, ok: good, ...report }, null, 2)}\n`);
    return;
  }
  const paint = colorsFor(wantsColors(process.stdout, process.env));
  if (functions.length > 0) {
    process.stdout.write(`${functions.map((item) => explanationText(item, paint)).join("\n\n")}\n\n`);
    process.stdout.write(`${summary(report, paint)}\n`);
  }
  const errors = colorsFor(wantsColors(process.stderr, process.env));
  if (found.failure !== undefined) process.stderr.write(`${failureText(path, found.failure, errors)}\n`);
  else if (functions.length === 0)
    process.stderr.write(`${errors.red("sky check:")} ${whyNone(found, path, wanted)}\n`);
}

function summary({ functions, opens }: Report, paint: Paint): string {
  const refused = functions.filter((item) => item.refused !== undefined).length;
  const sent = functions.length - refused;
  const parts = [
    ...(sent > 0 ? [paint.green(`${sent} can be sent`)] : []),
    ...(refused > 0 ? [paint.red(`${refused} refused`)] : []),
  ];
  return parts.join(", ") + (opens === undefined ? "" : paint.dim(`; the file ran up to its pool (${near(opens)})`));
}

function failureText(path: string, { name, message, stack, code, hint }: Failure, paint: Paint): string {
  const frames = stack
    .split("\n")
    .filter((line) => /^ {4}at /.test(line) && !/node:internal|[\\/]cli[\\/]check[\\/]|dist[\\/]check-/.test(line));
  return [
    `${paint.red("sky check:")} ${path} failed before its functions could be checked`,
    `  ${name}: ${message}${code === undefined ? "" : ` [${code}]`}`,
    ...(hint === undefined ? [] : [`  ${paint.yellow(hint)}`]),
    ...frames.slice(0, 6),
  ].join("\n");
}

function whyNone({ functions, opens }: Report, path: string, wanted: string | undefined): string {
  const until = opens === undefined ? "" : ` before it opened its pool (${near(opens)})`;
  if (wanted === undefined || functions.length === 0) return `${path} made no function with sky.fn${until}`;
  const names = functions.map((item) => item.name);
  const guess = nearest(wanted, names);
  return `${path} made no function ${wanted}${until}${guess === undefined ? `; it made ${names.join(", ")}` : `; did you mean ${guess}?`}`;
}

function fail(message: string, code: number): void {
  const paint = colorsFor(wantsColors(process.stderr, process.env));
  process.stderr.write(`${paint.red("sky check:")} ${message}\n`);
  process.exitCode = code;
}

function near(place: string): string {
  const path = relative(process.cwd(), place);
  return path.startsWith("..") ? place : path;
}
