import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "vitest";
import { Terminal } from "../support/terminal.ts";

const root = join(import.meta.dirname, "../..");
const shows = (what: RegExp) => (rows: readonly string[]) => rows.some((row) => what.test(row));

/** Types a command into a shell with job control, which is what gives a program its terminal. */
async function stuckFor(ms: number): Promise<{ terminal: Terminal; pid: number }> {
  const terminal = await Terminal.open("true", { env: { PROGRAM: join(import.meta.dirname, "programs/stuck.ts") } });
  await terminal.until(shows(/^\[ended 0\]/));
  const node = `${process.execPath} --conditions=skyward:source --import tsx`;
  await terminal.keys("-l", `cd ${root}; clear; ${node} $PROGRAM ${ms}`);
  await terminal.keys("Enter");
  const rows = await terminal.until(shows(/^stuck, pid/));
  return { terminal, pid: Number(/pid (\d+)/.exec(rows.join("\n"))![1]) };
}

/** What the program ended with, as the shell tells it. */
async function endedWith(terminal: Terminal): Promise<string> {
  await terminal.until((rows) => /^[$#]/.test(rows.at(-1) ?? ""), 8000);
  await terminal.keys("-l", 'echo "[ended $?]"');
  await terminal.keys("Enter");
  return (await terminal.until(shows(/^\[ended/))).join("\n");
}

test.concurrent("a program that is stuck in synchronous code ends with the second Ctrl-C", async ({ expect }) => {
  const { terminal, pid } = await stuckFor(60_000);
  await using _ = terminal;
  await terminal.keys("C-c");
  // It has no way to hear of it.
  await sleep(1500);
  expect(() => process.kill(pid, 0)).not.toThrow();
  await terminal.keys("C-c");
  expect(await endedWith(terminal)).toMatch(/\[ended 137\]/);
});

test.concurrent("a program that is free again before that ends as it always does", async ({ expect }) => {
  const { terminal } = await stuckFor(2000);
  await using _ = terminal;
  await terminal.keys("C-c");
  const said = await endedWith(terminal);
  expect(said).toMatch(/free again\n[^]*\[ended 130\]/);
  expect(said).not.toMatch(/closed/);
});
