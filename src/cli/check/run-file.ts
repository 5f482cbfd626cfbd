import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { loaderFor } from "./loader.ts";
import { programFile } from "./program-file.ts";
import { type Report, REPORT_FD } from "./report.ts";

/** Runs a file in a process of its own, up to where it opens a pool. What it prints goes to our stderr. */
export async function runFile(file: string): Promise<Report> {
  const child = spawn(process.execPath, [...conditions(), ...loaderFor(file), programFile("child"), file], {
    stdio: ["ignore", 2, 2, "pipe"],
  });
  const ended = new Promise<string>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
  const [report, end] = await Promise.all([text(child.stdio[REPORT_FD] as Readable), ended]);
  if (report !== "") return JSON.parse(report) as Report;
  return { functions: [], failure: { name: "Error", message: `the process ended too early (${end})`, stack: "" } };
}

/** The conditions that this process was started with hold for the file as well. */
function conditions(): string[] {
  return process.execArgv.flatMap((arg, index, all) => {
    if (/^(--conditions|-C)=/.test(arg)) return [arg];
    return arg === "--conditions" || arg === "-C" ? [arg, all[index + 1]!] : [];
  });
}
