import { expect, it } from "vitest";
import type { MetricSpec } from "../../metric-spec.ts";
import { Collectors } from "./collectors.ts";

/** Everything that is said and sent until so many samples have come. */
async function measured(specs: readonly MetricSpec[], count: number): Promise<{ names: string[]; problems: string[] }> {
  const [names, problems]: [string[], string[]] = [[], []];
  await new Promise<void>((resolve) => {
    const collectors = new Collectors({
      specs,
      problem: (words) => problems.push(words),
      send: (samples) => {
        for (const [name] of samples) names.push(name);
        if (names.length < count) return;
        collectors[Symbol.dispose]();
        resolve();
      },
    });
    collectors.listened();
  });
  return { names, problems };
}

it("measures at once when somebody listens, whatever the interval", async () => {
  const { names } = await measured(
    [
      { kind: "memoryTotal", intervalMs: 1e6 },
      { kind: "disk", path: "/", intervalMs: 1e6 },
      { kind: "custom", name: "two", command: "echo 1; printf 2", intervalMs: 1e6 },
    ],
    3,
  );
  expect(names).toEqual(["mem_total_mb", "disk_/", "two"]);
});

it("tells once what can't be measured", async () => {
  const { names, problems } = await measured(
    [
      { kind: "custom", name: "broken", command: "echo because >&2; echo none; false", intervalMs: 20 },
      { kind: "custom", name: "ended", command: "exit 3", intervalMs: 20 },
      { kind: "disk", path: "/no-such-folder", intervalMs: 20 },
      { kind: "networkRx", interface: "no0", intervalMs: 20 },
      { kind: "custom", name: "answer", command: "echo 42", intervalMs: 20 },
    ],
    20,
  );
  expect(new Set(names)).toEqual(new Set(["answer"]));
  expect(problems.toSorted()).toEqual([
    'the metric broken has no value: `echo because >&2; echo none; false` printed "none" (exit code 1): because',
    "the metric disk_/no-such-folder: there is no such folder",
    "the metric ended has no value: `exit 3` printed nothing (exit code 3)",
    "the metric networkRx of no0: there is no such network interface",
  ]);
});
