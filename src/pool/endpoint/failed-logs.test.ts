import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { failedLines, failedLogs, keepFailedLog } from "./failed-logs.ts";
import type { LoggedLine } from "./node-logs.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "sky-failed-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const DAY_MS = 24 * 3600_000;
const began = Date.now();
const failed = (node: number, at = node) => ({ pool: "p", node, pid: 7, failedAt: began + at, reason: `no ${node}` });
const line = (text: string): LoggedLine => ({ at: began, node: 0, stream: "stdout", line: text });
const kept = (): number[] => failedLogs(dir).map(({ node }) => node);

describe("logs of failed nodes", () => {
  it("are read as they were written, the newest first", () => {
    keepFailedLog(dir, failed(1), [line("a\nb"), line("ü")]);
    const file = keepFailedLog(dir, failed(2), [])!;
    const [newest, older] = failedLogs(dir);
    expect(newest).toEqual({ ...failed(2), file });
    expect(failedLines(older!).map((one) => one.line)).toEqual(["a\nb", "ü", "failed: no 1"]);
  });

  it("are at most 50, and none is older than 14 days", () => {
    for (let node = 0; node < 60; node++) keepFailedLog(dir, failed(node), []);
    expect(kept()).toEqual(Array.from({ length: 50 }, (_, index) => 59 - index));
    for (const { file, node } of failedLogs(dir))
      if (node < 40) utimesSync(file, new Date(began - 15 * DAY_MS), new Date(began - 15 * DAY_MS));
    keepFailedLog(dir, failed(60), []);
    expect(kept()).toEqual(Array.from({ length: 21 }, (_, index) => 60 - index));
  });

  it("have 64 MB together", () => {
    const much = [line("x".repeat(10 * 1024 * 1024))];
    for (let node = 0; node < 8; node++) keepFailedLog(dir, failed(node), much);
    expect(kept()).toEqual([7, 6, 5, 4, 3, 2]);
  });

  it("are none where they can't be written", () => {
    const file = join(dir, "file");
    writeFileSync(file, "");
    expect(keepFailedLog(file, failed(1), [])).toBeUndefined();
    expect(failedLogs(file)).toEqual([]);
  });
});
