import { join } from "node:path";
import { benchGates } from "./gate/bench.ts";
import { runStep, type Outcome, type Step } from "./gate/step.ts";
import { suite } from "./gate/suite.ts";

/**
 * Everything that has to hold before a change lands: `npm test`, or `npm test -- lint unit` for the steps whose names
 * contain one of the words. Ends with the line `N passed, N failed`.
 */
const root = join(import.meta.dirname, "..");
const bin = (name: string): string => join(root, "node_modules/.bin", name);
const inProject = (project: string) => (file: string) => file.startsWith(`test/${project}/`);

const build: Step = { name: "build", command: ["npm", "run", "--silent", "build"] };
const checks: readonly Step[] = [
  { name: "types", command: [bin("tsc"), "-p", "tsconfig.json"] },
  { name: "lint", command: [bin("oxlint"), "--type-aware", "--deny-warnings"] },
  { name: "format", command: [bin("oxfmt"), "--check"], hint: "npm run format writes it as it should be" },
  { name: "house", command: [bin("tsx"), "scripts/check-source.ts"] },
  { name: "dead code", command: [bin("knip")] },
];
const suites: readonly Step[] = [
  suite("unit", root, (file) => file.startsWith("src/")),
  suite(
    "integration",
    root,
    (file) => file.startsWith("test/") && !/^test\/(examples|package|rig|machines)\//.test(file),
  ),
  suite("machines", root, (file) => /^test\/(rig|machines)\//.test(file)),
  suite("examples", root, inProject("examples")),
  suite("package", root, inProject("package")),
  benchGates(root),
];

const words = process.argv.slice(2);
const wanted = (step: Step): boolean => words.length === 0 || words.some((word) => step.name.includes(word));
const started = performance.now();
const outcomes: Outcome[] = [];

if (wanted(build)) outcomes.push(await runStep(build, root));
outcomes.push(...(await Promise.all(checks.filter(wanted).map((step) => runStep(step, root)))));
for (const step of suites.filter(wanted)) outcomes.push(await runStep(step, root));

const sum = (key: "passed" | "failed"): number => outcomes.reduce((total, outcome) => total + outcome[key], 0);
const bad = outcomes.filter((outcome) => outcome.failed > 0).map((outcome) => outcome.name);
if (bad.length > 0) console.log(`\nfailed: ${bad.join(", ")}`);
console.log(`\nin ${((performance.now() - started) / 1000).toFixed(0)} s\n`);
console.log(`${sum("passed")} passed, ${sum("failed")} failed`);
process.exitCode = bad.length === 0 && outcomes.length > 0 ? 0 : 1;
