import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SkyEvent } from "./event.ts";
import { quantile } from "./histogram.ts";
import { rateOf } from "./project-tasks.ts";
import { project, projectPool } from "./projection.ts";
import { emptyPool, EMPTY_SESSION, type PoolView } from "./views.ts";
import { whyWaiting } from "./why-waiting.ts";

type Unstamped<T> = T extends SkyEvent ? Omit<T, "pool" | "at"> : never;

function fold(...steps: readonly (readonly [at: number, event: Unstamped<SkyEvent>])[]): PoolView {
  return steps.reduce<PoolView>(
    (view, [at, event]) => projectPool(view, { pool: "p", at, ...event }),
    emptyPool("p", 0),
  );
}

const start = { type: "Pool.Provisioning", totalNodes: 2, provider: "local", concurrency: 1 } as const;
const ready = (node: number) =>
  ({ type: "Node.Ready", node, machine: `local-${node}`, slots: 2, elapsedMs: 5 }) as const;
const counts = (queued: number, running: number, done: number) =>
  ({ type: "Tasks.Progress", queued, running, done, failed: 0, cancelled: 0 }) as const;

describe("the projection", () => {
  it("follows a pool from nothing to ready, and back when its nodes are lost", () => {
    const open = fold(
      [0, start],
      [1, { type: "Node.Provisioning", node: 0 }],
      [2, ready(0)],
      [2, ready(1)],
      [3, { type: "Pool.Ready", nodes: 2, slots: 4, elapsedMs: 3 }],
    );
    expect(open).toMatchObject({ phase: "ready", slots: 4, totalNodes: 2, readyAt: 3 });
    expect(open.counts.ready).toBe(2);
    const lost = { type: "Node.Lost", cause: "nodeGone", reason: "machine is gone", pool: "p", at: 9 } as const;
    const half = projectPool(open, { ...lost, node: 1 });
    expect(half).toMatchObject({ phase: "ready", slots: 2 });
    const none = projectPool(half, { ...lost, node: 0 });
    expect(none).toMatchObject({ phase: "provisioning", slots: 0 });
    expect(none.nodes[0]).toMatchObject({ status: "lost", lossCause: "nodeGone", problem: "machine is gone" });
    const back = projectPool(none, { ...ready(0), pool: "p", at: 12 });
    expect(back).toMatchObject({ phase: "ready", slots: 2 });
  });

  it("begins again when a stopped name is provisioned again, and keeps a failure through the stop", () => {
    const failed = fold(
      [0, start],
      [1, { type: "Pool.ProvisionFailed", reason: "no" }],
      [2, { type: "Pool.Stopped", elapsedMs: 2 }],
    );
    expect(failed).toMatchObject({ phase: "failed", problem: "no", stoppedAt: 2 });
    const again = projectPool(failed, { ...start, pool: "p", at: 10 });
    expect(again).toMatchObject({ phase: "provisioning", problem: undefined, stoppedAt: undefined, startedAt: 10 });
  });

  it("takes counts from Tasks.Progress alone and details from single tasks", () => {
    const view = fold(
      [0, { type: "Task.Queued", task: "t", name: "f", kind: "single" }],
      [1, { type: "Task.Assigned", task: "t", name: "f", node: 1, attempt: 1, queuedMs: 1 }],
      [2, { type: "Task.Progress", task: "t", name: "f", node: 1, attempt: 1, done: 1, of: 4 }],
    );
    expect(view.tasks).toMatchObject({ queued: 0, running: 0, done: 0 });
    expect(view.tasks.inflight).toMatchObject([{ task: "t", node: 1, done: 1, of: 4 }]);
    const done = projectPool(view, {
      type: "Task.Completed",
      pool: "p",
      at: 9,
      task: "t",
      name: "f",
      node: 1,
      attempt: 1,
      elapsedMs: 7,
    });
    expect(done.tasks.inflight).toEqual([]);
    expect(done.tasks.functions).toEqual({ f: { done: 1, failed: 0, totalMs: 7 } });
    expect(quantile(done.tasks.latency, 0.5)).toBe(7);
  });

  it("gives the rate of the last seconds", () => {
    let view = emptyPool("p", 0);
    for (let i = 0; i <= 100; i++) view = projectPool(view, { ...counts(0, 1, i * 10), pool: "p", at: i * 100 });
    expect(rateOf(view.tasks, 10_000)).toBeCloseTo(100, 5);
    expect(view.tasks.samples.length).toBeLessThanOrEqual(20);
  });

  it("has a pool of its own for every name, known or not", () => {
    const one = project(EMPTY_SESSION, { ...ready(1), pool: "late", at: 5 });
    const two = project(one, { ...ready(0), pool: "__proto__", at: 6 });
    expect(one.pools["late"]?.nodes.map((node) => node.status)).toEqual(["waiting", "ready"]);
    expect(Object.keys(two.pools)).toContain("late");
  });

  it("says why nothing happens", () => {
    const waiting = fold(
      [0, start],
      [0, { type: "Node.Provisioned", node: 0, machine: "a", address: "a", elapsedMs: 1 }],
      [0, { type: "Node.Provisioned", node: 1, machine: "b", address: "b", elapsedMs: 1 }],
      [0, counts(5, 0, 0)],
    );
    expect(whyWaiting(waiting, 12_000)).toBe("waiting for nodes: 2 of 2 connecting 12 s");
    const broken = projectPool(waiting, { type: "Node.ConnectionFailed", node: 0, error: "refused", pool: "p", at: 1 });
    expect(whyWaiting(broken, 12_000)).toBe("waiting for nodes: 2 of 2 connecting 12 s (refused)");
    const idle = fold([0, start], [1, ready(0)], [1, ready(1)], [2, counts(5, 0, 1)]);
    expect(whyWaiting(idle, 5002)).toBe("2 of 2 nodes ready, no task was taken for 5 s");
    expect(whyWaiting(projectPool(idle, { ...counts(4, 1, 1), pool: "p", at: 3 }), 9000)).toBeUndefined();
  });

  it("keeps its counts equal to its nodes, and never changes a view that it was given", () => {
    const node = fc.integer({ min: 0, max: 5 });
    const event = fc.oneof(
      node.map(ready),
      node.map((n) => ({ type: "Node.Provisioning", node: n }) as const),
      node.map((n) => ({ type: "Node.Lost", node: n, cause: "unknown", reason: "r" }) as const),
      node.map((n) => ({ type: "Node.Gone", node: n, elapsedMs: 1 }) as const),
      node.map((n) => ({ type: "Node.Disconnected", node: n, reason: "r" }) as const),
      fc.integer({ min: 1, max: 6 }).map((n) => ({ ...start, totalNodes: n })),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        let view = freeze(emptyPool("p", 0));
        for (const [at, one] of events.entries()) {
          view = freeze(projectPool(view, { pool: "p", at, ...one }));
          const slots = view.nodes.reduce((sum, n) => sum + (n.status === "ready" ? n.slots : 0), 0);
          expect(view.slots).toBe(slots);
          for (const [status, count] of Object.entries(view.counts)) {
            expect(view.nodes.filter((n) => n.status === status).length).toBe(count);
          }
        }
      }),
    );
  });

  it("stays small when a million tasks are observed", () => {
    let view = emptyPool("p", 0);
    for (let i = 0; i < 2000; i++) {
      const one = { pool: "p", at: i, task: `t${i}`, name: `f${i}`, node: 0, attempt: 1 };
      view = projectPool(view, { ...one, type: "Task.Assigned", queuedMs: 0 });
      view = projectPool(view, { ...one, type: "Task.Completed", task: `x${i}`, elapsedMs: i });
    }
    expect(view.tasks.inflight.length).toBe(256);
    expect(Object.keys(view.tasks.functions).length).toBe(128);
    expect(view.tasks.latency.count).toBe(2000);
    expect(quantile(view.tasks.latency, 0.5)).toBeGreaterThan(700);
    expect(quantile(view.tasks.latency, 0.5)).toBeLessThan(1450);
  });
});

function freeze(view: PoolView): PoolView {
  Object.freeze(view.nodes);
  Object.freeze(view.counts);
  return Object.freeze(view);
}
