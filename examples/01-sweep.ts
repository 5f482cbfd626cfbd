import { parseArgs } from "node:util";
import * as sky from "skyward";
import { loadDigits } from "./digits.ts";
import { crossValidate, type Setting } from "./network.ts";

// Which network reads handwriting best? Nine settings, each judged on five folds of 2,000 pictures: 45 tasks.
const FOLDS = 5;
const digits = loadDigits();
const settings: Setting[] = [8, 16, 32].flatMap((hidden) => [0.002, 0.005, 0.02].map((rate) => ({ hidden, rate })));
const trials = settings.flatMap((_, setting) => Array.from({ length: FOLDS }, (_, fold) => ({ setting, fold })));

// `--nodes 2` takes another number of nodes; `--ssh user@host` runs as many tasks at once on that machine instead;
// `--resume` keeps each result, so that a sweep that was interrupted goes on where it was.
const { values } = parseArgs({
  options: { nodes: { type: "string", default: "4" }, ssh: { type: "string" }, resume: { type: "boolean" } },
});

const score = sky.fn(
  ({ setting, fold }: { setting: number; fold: number }) => ({
    setting,
    accuracy: crossValidate(digits, settings[setting]!, fold, FOLDS),
  }),
  { cache: values.resume },
);

const count = Number(values.nodes);
const where = values.ssh
  ? { provider: sky.ssh({ hosts: [values.ssh] }), nodes: 1, worker: { concurrency: count } }
  : { provider: sky.local(), nodes: count };

// In one order, whichever fold came first: sums of floats depend on it.
const mean = (numbers: number[]) =>
  numbers.toSorted((a, b) => a - b).reduce((sum, number) => sum + number, 0) / numbers.length;
const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
const describe = ({ hidden, rate }: Setting) => `${String(hidden).padStart(2)} units at rate ${rate.toFixed(3)}`;

const scores = settings.map((): number[] => []);
const started = performance.now();
let done = 0;

await sky.compute(where, async (pool) => {
  for await (const { setting, accuracy } of pool.map(score, trials).unordered()) {
    const folds = scores[setting]!;
    const line = `${String(++done).padStart(2)} of ${trials.length}   ${describe(settings[setting]!)}`;
    folds.push(accuracy);
    console.log(folds.length < FOLDS ? line : `${line}   ${percent(mean(folds))} on average`);
  }
});
const spread = (performance.now() - started) / 1000;

const ranking = [...settings.keys()].sort((a, b) => mean(scores[b]!) - mean(scores[a]!));
console.log("\nrank   setting                  right   worst fold");
ranking.forEach((setting, index) => {
  const [right, worst] = [mean(scores[setting]!), Math.min(...scores[setting]!)];
  console.log(`${index + 1}      ${describe(settings[setting]!)}   ${percent(right)}   ${percent(worst)}`);
});

// A sweep that may have begun earlier has no time to compare.
if (!values.resume) {
  const alone = performance.now();
  for (const trial of trials) score.local(trial);
  const single = (performance.now() - alone) / 1000;
  console.log(`\n${values.ssh ?? `${count} local nodes`}, from opening the pool to its end: ${spread.toFixed(1)} s`);
  console.log(`the same work in this process: ${single.toFixed(1)} s, ${(single / spread).toFixed(2)} times as long`);
}
