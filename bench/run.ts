import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { detection } from "./cases/detection.ts";
import { headline, joblib } from "./cases/joblib.ts";
import { gigabyte, large } from "./cases/large.ts";
import { latency } from "./cases/latency.ts";
import { beside, map, mixed } from "./cases/map.ts";
import { memory } from "./cases/memory.ts";
import { naps } from "./cases/naps.ts";
import { push } from "./cases/push.ts";
import { firstResult, twenty } from "./cases/ready.ts";
import { distance, ssh } from "./cases/ssh.ts";
import { importing, slot, startup } from "./cases/startup.ts";
import { streams, streamsAfar, streamsWire } from "./cases/streams.ts";
import { throughput } from "./cases/throughput.ts";
import { wire } from "./cases/wire.ts";
import { calibrate, currentCommit, toLine, type Case, type Line } from "./harness.ts";
import { resultsPage } from "./results.ts";

// npm run bench                   all cases; writes RESULTS.md
// npm run bench -- --only wire    those whose name contains this
// npm run bench -- --counted      those that gate a change
// npm run bench -- --release      the long ones too, once for each release
// npm run bench -- --out file     appends the JSON lines to this file too
const CASES: readonly Case[] = [
  wire,
  latency,
  throughput,
  map,
  mixed,
  beside,
  naps,
  memory,
  startup,
  slot,
  importing,
  ssh,
  distance,
  firstResult,
  twenty,
  detection,
  joblib,
  headline,
  large,
  gigabyte,
  push,
  streams,
  streamsWire,
  streamsAfar,
];

const { values: options } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    counted: { type: "boolean", default: false },
    release: { type: "boolean", default: false },
    out: { type: "string" },
  },
});
const usual = CASES.filter((one) => options.release || one.release !== true);
const chosen = usual.filter((one) => {
  if (options.counted && one.counted !== true) return false;
  return options.only === undefined || options.only.some((word) => one.name.includes(word));
});
if (chosen.length === 0) throw new Error(`no such case; there are ${usual.map((one) => one.name).join(", ")}`);

const commit = currentCommit();
const calibration = calibrate();
const lines: Line[] = [];
let broken = 0;

for (const one of chosen) {
  try {
    await one.run((name, value, unit, bar) => {
      const line = toLine(commit, name, value, unit, bar);
      const text = JSON.stringify(line);
      lines.push(line);
      console.log(text);
      if (options.out !== undefined) appendFileSync(options.out, `${text}\n`);
    });
  } catch (error) {
    broken++;
    console.error(`${one.name} did not finish:`, error);
  }
}

if (chosen.length === usual.length && broken === 0) {
  writeFileSync(join(import.meta.dirname, "RESULTS.md"), resultsPage(lines, commit, calibration));
}
const missed = lines.filter((line) => line.pass === false);
for (const line of missed) console.error(`missed: ${line.name}: ${line.ratio ?? line.value}, bar ${line.bar}`);
process.exitCode = broken + missed.length === 0 ? 0 : 1;
