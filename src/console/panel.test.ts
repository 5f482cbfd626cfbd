import { describe, expect, it } from "vitest";
import type { SkyEvent } from "../events/event.ts";
import { projectPool } from "../events/projection.ts";
import { emptyPool, type PoolView } from "../events/views.ts";
import { colorsFor } from "./colors.ts";
import { panelRows } from "./panel.ts";

type Unstamped<T> = T extends SkyEvent ? Omit<T, "pool" | "at"> : never;

const size = { columns: 120, rows: 40, colors: colorsFor(false) };

function poolAfter(...events: readonly (Unstamped<SkyEvent> & { at?: number })[]): PoolView {
  let view = emptyPool("p", 0);
  for (const event of events) view = projectPool(view, { pool: "p", at: 0, ...event });
  return view;
}

const start = { type: "Pool.Provisioning", totalNodes: 3, provider: "ssh", concurrency: 4 } as const;
const ready = (node: number) =>
  ({ type: "Node.Ready", node, machine: `me@box${node}:22`, slots: 4, elapsedMs: 9 }) as const;

describe("the panel", () => {
  it("has a line for each node: what it does on its way, then how loaded it is", () => {
    const view = poolAfter(
      start,
      ready(0),
      { type: "Metric.Sampled", node: 0, name: "cpu", value: 50 },
      { type: "Metric.Sampled", node: 0, name: "mem", value: 12.4 },
      { type: "Metric.Sampled", node: 0, name: "gpu_util_0", value: 97 },
      { type: "Metric.Sampled", node: 0, name: "gpu_util_1", value: 3 },
      { type: "Node.Provisioning", node: 1 },
      { type: "Node.Provisioned", node: 1, machine: "me@box1:22", address: "b", elapsedMs: 1 },
      { type: "Node.Bootstrap.Started", node: 1, phase: "pip" },
      { type: "Node.Bootstrap.Output", node: 1, output: "Collecting \x1b[31mtorch" },
      {
        type: "Tasks.Progress",
        queued: 5,
        running: 2,
        done: 1234,
        failed: 0,
        cancelled: 0,
        perNode: [1234],
        runningPerNode: [2],
      },
    );
    expect(panelRows(view, 12_300, size)).toEqual([
      "node 0  ready          me@box0:22  slots ████░░░░ 2/4  cpu ████░░░░  50%  mem █░░░░░░░  12%  gpu 97 3%  1,234 done",
      "node 1  bootstrapping  me@box1:22  pip, 12 s  Collecting torch",
      "node 2  waiting                    12 s",
      "nodes 1/3 · slots 2/4 · 1,234 done, 2 running, 5 queued",
    ]);
  });

  it("shows those that need a look where not all fit", () => {
    const view = poolAfter({ ...start, totalNodes: 30 }, ...Array.from({ length: 30 }, (_, node) => ready(node)), {
      type: "Node.Lost",
      node: 21,
      cause: "nodeGone",
      reason: "no answer",
    });
    const rows = panelRows(view, 1000, { ...size, rows: 11 });
    expect(rows.length).toBe(6);
    expect(rows.slice(0, 3).map((row) => row.slice(0, 15))).toEqual([
      "node  0  ready ",
      "node  1  ready ",
      "node  2  ready ",
    ]);
    expect(rows[3]).toMatch(/^node 21 {2}lost .*no answer/);
    expect(rows[4]).toBe("  … and 26 more: 26 ready");
  });

  it("is the pool's line alone on a terminal that is too low", () => {
    expect(panelRows(poolAfter(start), 0, { ...size, rows: 5 })).toHaveLength(1);
  });
});
