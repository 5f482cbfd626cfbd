import type { ProcessEnd } from "../../../wire/records.ts";

/** What Node prints of its own and the program's stack when it aborts. */
const STACK_LINE = /^(\d+: |-{5} .* -{5}$)/;

/** The line of a dying process's stderr that says most: what Node itself says of a fatal error, else the last one. */
export function lastWords(stderr: string): string {
  const lines = stderr
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => !STACK_LINE.test(line));
  return lines.find((line) => line.startsWith("FATAL ERROR:")) ?? lines.findLast((line) => line !== "") ?? "";
}

/** How a process ended, in words that follow "its process". */
export function exitReason({ code, signal, stderr }: ProcessEnd): string {
  const how = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
  const often = signal === "SIGKILL" ? " (the kernel does that when memory runs out)" : "";
  const words = lastWords(stderr);
  return `${how}${often}${words && `: ${words}`}`;
}
