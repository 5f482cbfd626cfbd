import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runProgram } from "../support/program.ts";
import { Sshd } from "../support/sshd.ts";

const POINTS = [
  "a task waits for a debugger, stops at its first line, and goes on",
  "a run limit does not count, and its process is its own",
  "cancelled while it waits",
  "its port here is closed when it has ended",
];

let sshd: Sshd;
beforeAll(async () => {
  sshd = await Sshd.start();
  writeFileSync(sshd.knownHosts, sshd.knownHostsLine());
});
afterAll(() => sshd[Symbol.asyncDispose]());

test("inspect on this machine", async () => {
  const { code, points, report } = await runProgram("test/surface/programs/inspect.ts");
  expect(points, report).toEqual(POINTS);
  expect(code, report).toBe(0);
});

test("inspect over SSH", async () => {
  const env = { SSH: JSON.stringify({ hosts: [sshd.target], key: sshd.key, knownHosts: sshd.knownHosts }) };
  const { code, points, report } = await runProgram("test/surface/programs/inspect.ts", { env });
  expect(points, report).toEqual(POINTS);
  expect(code, report).toBe(0);
});
