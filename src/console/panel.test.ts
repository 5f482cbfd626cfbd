import { describe, expect, it } from "vitest";
import type { SkyEvent } from "../events/event.ts";
import { projectPool } from "../events/projection.ts";
import { emptyPool, type PoolView } from "../events/views.ts";
import { colorsFor } from "./colors.ts";
import { panelRows } from "./panel.ts";

type Unstamped<T> = T extends SkyEvent ? Omit<T, "pool" | "at"> : never;
type Step = Unstamped<SkyEvent> & { at?: number };

const size = { columns: 130, rows: 40, colors: colorsFor(false) };

function poolAfter(...events: readonly Step[]): PoolView {
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
      "node 0  ready            12 s  me@box0:22  slots ████░░░░ 2/4  cpu ████░░░░  50%  mem █░░░░░░░  12%  gpu 97 3%  1,234 done",
      "node 1  bootstrapping    12 s  me@box1:22  pip  Collecting torch",
      "node 2  waiting          12 s",
      "nodes 1/3 · slots 2/4 · 1,234 done, 2 running, 5 queued",
    ]);
  });

  it("has shorter bars on a narrow terminal, then none", () => {
    const cpu = { type: "Metric.Sampled", node: 0, name: "cpu", value: 50 } as const;
    const mem = { type: "Metric.Sampled", node: 0, name: "mem", value: 100 } as const;
    const view = poolAfter({ ...start, totalNodes: 1 }, ready(0), cpu, mem);
    const row = (columns: number): string => panelRows(view, 9000, { ...size, columns })[0]!;
    expect(row(100)).toBe(
      "node 0  ready     9 s  me@box0:22  slots ░░░░░░░░ 0/4  cpu ████░░░░  50%  mem ████████ 100%",
    );
    expect(row(80)).toBe("node 0  ready     9 s  me@box0:22  slots ░░░░ 0/4  cpu ██░░  50%  mem ████ 100%");
    expect(row(70)).toBe("node 0  ready     9 s  slots ░░░░ 0/4  cpu ██░░  50%  mem ████ 100%");
    expect(row(50)).toBe("node 0  ready     9 s  slots 0/4  cpu  50%  mem 100%");
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

  it("tells how long the present step takes, and each pool's nodes apart", () => {
    const phase = { type: "Node.PhaseChanged", node: 0, phase: "start agent", at: 60_000 } as const;
    const view = poolAfter({ ...start, totalNodes: 1 }, { type: "Node.Provisioning", node: 0 }, phase);
    expect(panelRows(view, 90_000, size, "a")).toEqual([
      "a/node 0  provisioning    30 s  start agent",
      "a: nodes 0/1 · provisioning 1 min 30 s",
    ]);
  });

  it("says why nothing happens: idle, closing, or what tasks wait for", () => {
    const open = [{ ...start, totalNodes: 2 }, ready(0)] as const;
    const one = { type: "Pool.Ready", nodes: 1, slots: 4, elapsedMs: 0 } as const;
    const counts = { type: "Tasks.Progress", running: 0, failed: 0, cancelled: 0 } as const;
    const last = (...events: readonly Step[]): string =>
      panelRows(poolAfter(...open, one, ...events), 5000, size).at(-1)!;
    expect(last()).toBe("nodes 1/2 · slots 0/4 · no tasks yet, ready for 5 s");
    expect(last({ ...counts, queued: 0, done: 9, at: 2000 })).toMatch(/9 done, 0 running, 0 queued · idle 3 s$/);
    const reason = "1 task waits for node 1, which is not ready";
    expect(last({ ...counts, queued: 1, done: 0, reason })).toMatch(/1 queued · 1 task waits for node 1, which/);
    expect(last({ ...counts, queued: 8, done: 0, running: 9 })).toMatch(/0 done, 4 running, 13 queued$/);
    expect(last({ ...counts, queued: 0, done: 9 }, { type: "Pool.Stopping", reason: "", at: 3000 })).toBe(
      "closing 2 s · 9 done",
    );
  });

  it("is the pool's line alone on a terminal that is too low", () => {
    expect(panelRows(poolAfter(start), 0, { ...size, rows: 5 })).toHaveLength(1);
  });
});
