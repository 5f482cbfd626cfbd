import { existsSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { testsBelow } from "../checks/sources.ts";
import { freshFile } from "./fresh-file.ts";
import type { Count, Step } from "./step.ts";

/** The parts of vitest's JSON report that are read here. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly unknown[];
  }[];
}

/**
 * A project of vitest.config.ts as a step. A skipped test, a test without a body, a file that could not be loaded and
 * a file that was not run at all count as failed: what exists has to run.
 */
export function suite(project: string, root: string, belongs: (file: string) => boolean): Step {
  const report = freshFile(root, `${project}.json`);
  return {
    name: `tests: ${project}`,
    command: [
      join(root, "node_modules/.bin/vitest"),
      "run",
      "--project",
      project,
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${report}`,
    ],
    count: () =>
      existsSync(report) ? countReport(report, root, expected(root).filter(belongs)) : { passed: 0, failed: 1 },
  };
}

function countReport(file: string, root: string, files: readonly string[]): Count {
  const report = JSON.parse(readFileSync(file, "utf8")) as Report;
  const ran = new Set(report.testResults.map((result) => relative(root, result.name)));
  const missing = files.filter((name) => !ran.has(name));
  const empty = report.testResults.filter((result) => result.assertionResults.length === 0);
  for (const name of missing) console.log(`not run: ${name}`);
  for (const result of empty) console.log(`ran no test: ${relative(root, result.name)}`);
  const skipped = report.numPendingTests + report.numTodoTests;
  if (skipped > 0) console.log(`${skipped} tests were skipped, and count as failed`);
  const failed = report.numFailedTests + skipped + missing.length + empty.length;
  return { passed: report.numPassedTests, failed };
}

function expected(root: string): string[] {
  return ["src", "test"].flatMap((folder) => testsBelow(join(root, folder)).map((file) => `${folder}/${file}`));
}
