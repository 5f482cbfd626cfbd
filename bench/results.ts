import { cpus, totalmem } from "node:os";
import type { Line } from "./harness.ts";

/** The lines of a whole run as a page: which commit and machine, then each figure with its bar. */
export function resultsPage(lines: readonly Line[], commit: string, calibration: number): string {
  const [processor] = cpus();
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  const rows = lines.map(({ name, value, unit, ratio, bar, pass }) => {
    const verdict = pass === undefined ? "" : pass ? "kept" : "**missed**";
    return `| ${name} | ${value.toLocaleString("en-US")} ${unit} | ${ratio ?? ""} | ${bar ?? ""} | ${verdict} |`;
  });
  return [
    "# Results",
    "",
    "Written by `npm run bench`. Each figure is a median of five; a ratio is to the peer of the same run, and decides.",
    "",
    `Commit ${commit}, Node ${process.version}, ${cpus().length} x ${processor?.model.trim() ?? "?"}, ${gigabytes} GB;`,
    `64 MiB of SHA-256 took ${calibration.toFixed(0)} ms on it.`,
    "",
    "| | value | ratio | bar | |",
    "|---|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}
