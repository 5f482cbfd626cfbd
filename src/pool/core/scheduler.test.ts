import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Range } from "./ranges.ts";
import { type Assignment, Scheduler } from "./scheduler.ts";

const ids = (range: { first: number; count: number }): number[] =>
  Array.from({ length: range.count }, (_, i) => range.first + i);

describe("the scheduler", () => {
  it("gives single calls to the nodes in turn", () => {
    const scheduler = new Scheduler();
    scheduler.openQueue(0);
    for (let rank = 0; rank < 4; rank++) scheduler.nodeUp(rank, 1, 0.1);
    scheduler.enqueue(0, 0, 1, 8);
    const perNode = new Map<number, number>();
    for (const { rank, count } of scheduler.assign()) perNode.set(rank, (perNode.get(rank) ?? 0) + count);
    expect([...perNode.values()]).toEqual([2, 2, 2, 2]);
  });

  it("alternates between calls, so that one task does not wait behind a long map", () => {
    const scheduler = new Scheduler();
    scheduler.openQueue(1);
    scheduler.openQueue(2);
    scheduler.nodeUp(0, 1, 0.1);
    scheduler.measured(7, 1);
    scheduler.enqueue(1, 7, 1, 1500);
    const before = scheduler.assign().reduce((sum, one) => sum + one.count, 0);
    expect(before).toBeLessThan(20);
    scheduler.enqueue(2, 8, 2000, 1);
    scheduler.ended(0, 1, before);
    const given = scheduler.assign();
    expect(given.slice(0, 2).some((one) => one.first === 2000)).toBe(true);
  });

  it("sends nothing ahead for long tasks, and a round trip of work for short ones", () => {
    const scheduler = new Scheduler();
    scheduler.openQueue(0);
    scheduler.nodeUp(0, 2, 50);
    scheduler.measured(1, 5000);
    scheduler.enqueue(0, 1, 1, 10);
    expect(scheduler.assign().reduce((sum, one) => sum + one.count, 0)).toBe(2);
    scheduler.measured(2, 1);
    scheduler.openQueue(5);
    scheduler.ended(0, 1, 2);
    scheduler.cancel(0, 1, 10);
    scheduler.enqueue(5, 2, 100, 1000);
    const ahead = scheduler.assign().reduce((sum, one) => sum + one.count, 0);
    expect(ahead).toBeGreaterThanOrEqual(120);
    expect(ahead).toBeLessThanOrEqual(130);
  });

  it("asks for work back when another node is free", () => {
    const scheduler = new Scheduler();
    scheduler.openQueue(0);
    scheduler.nodeUp(0, 1, 0.1);
    scheduler.enqueue(0, 0, 1, 2);
    scheduler.assign();
    expect(scheduler.revoke()).toEqual([]);
    scheduler.nodeUp(1, 1, 0.1);
    expect(scheduler.revoke()).toEqual([{ rank: 0, count: 1 }]);
    expect(scheduler.revoke()).toEqual([]);
    for (const range of scheduler.ended(0, 2, 1)) scheduler.retry(range, range.attempt, range.avoid);
    scheduler.revoked(0);
    expect(scheduler.assign()).toMatchObject([{ rank: 1, first: 2, count: 1, attempt: 1 }]);
  });

  it("prefers another node for a retry", () => {
    const scheduler = new Scheduler();
    scheduler.openQueue(0);
    scheduler.nodeUp(0, 4, 0.1);
    scheduler.nodeUp(1, 1, 0.1);
    scheduler.enqueue(0, 0, 1, 1);
    const [first] = scheduler.assign();
    const [range] = scheduler.ended(first!.rank, 1, 1);
    scheduler.retry(range!, 2, first!.rank);
    expect(scheduler.assign()).toMatchObject([{ rank: 1 - first!.rank, attempt: 2 }]);
  });

  it("says why tasks wait", () => {
    const scheduler = new Scheduler();
    scheduler.openQueue(0);
    expect(scheduler.explain()).toBeUndefined();
    scheduler.enqueue(0, 0, 1, 3);
    expect(scheduler.explain()).toContain("no node is ready");
    scheduler.nodeUp(0, 1, 1);
    scheduler.openQueue(1, 5);
    scheduler.enqueue(1, 0, 10, 1);
    expect(scheduler.explain()).toContain("node 5");
  });
});

type Step =
  | { readonly do: "enqueue"; readonly queue: number; readonly count: number }
  | { readonly do: "up" | "down"; readonly rank: number }
  | { readonly do: "end"; readonly rank: number; readonly pick: number }
  | { readonly do: "lose"; readonly rank: number; readonly pick: number }
  | { readonly do: "cancel"; readonly pick: number }
  | { readonly do: "measure"; readonly group: number; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant("enqueue" as const), queue: fc.nat(4), count: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ do: fc.constantFrom("up" as const, "down" as const), rank: fc.nat(3) }),
  fc.record({ do: fc.constantFrom("end" as const, "end" as const, "lose" as const), rank: fc.nat(3), pick: fc.nat() }),
  fc.record({ do: fc.constant("cancel" as const), pick: fc.nat() }),
  fc.record({
    do: fc.constant("measure" as const),
    group: fc.nat(1),
    ms: fc.double({ min: 0.001, max: 5000, noNaN: true }),
  }),
);

/** Queues 0 and 1 are for any node, 2 for node 0, 3 for node 3, 4 is never sent ahead. */
function world() {
  const scheduler = new Scheduler();
  const targets = [-1, -1, 0, 3, -1];
  targets.forEach((target, queue) => scheduler.openQueue(queue, target, queue !== 4));
  const slots = [1, 2, 3, 1];
  const outcomes = new Map<number, string>();
  const started = new Map<number, number>();
  const running = new Map<number, Map<number, Assignment>>();
  const order = new Map<number, number[]>();
  const queueOf = new Map<number, number>();
  let nextId = 1;

  const assign = (): void => {
    for (const given of scheduler.assign()) {
      const node = running.get(given.rank);
      expect(node, "assigned to a node that is up").toBeDefined();
      const target = targets[given.queue]!;
      expect(target < 0 || target === given.rank, "target honoured").toBe(true);
      for (const id of ids(given)) {
        expect(outcomes.has(id), "an ended task does not start").toBe(false);
        expect((started.get(id) ?? 0) < given.attempt, "a start has a new attempt number").toBe(true);
        started.set(id, given.attempt);
        if (given.attempt === 1) order.get(given.queue)!.push(id);
        node!.set(id, { ...given, first: id, count: 1 });
        const alone = [...node!.values()].some((one) => one.alone);
        if (alone) expect(node!.size, "a suspect runs alone").toBe(1);
      }
      if (given.queue === 4)
        expect(node!.size, "nothing is sent ahead of a slot").toBeLessThanOrEqual(slots[given.rank]!);
    }
  };
  return {
    scheduler,
    slots,
    outcomes,
    started,
    running,
    order,
    queueOf,
    targets,
    assign,
    take: (count: number) => (nextId += count) - count,
  };
}

describe("whatever happens", () => {
  it("each task has exactly one outcome, starts with new attempts only, where it may, in order", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const w = world();
        for (let queue = 0; queue < 5; queue++) w.order.set(queue, []);
        const lose = (range: Range): void => {
          for (const id of ids(range).reverse())
            w.scheduler.retry({ ...range, first: id, count: 1 }, range.attempt + 1, -1, id % 3 === 0);
        };
        for (const one of steps) {
          if (one.do === "enqueue") {
            const first = w.take(one.count);
            for (const id of ids({ first, count: one.count })) w.queueOf.set(id, one.queue);
            w.scheduler.enqueue(one.queue, one.queue % 2, first, one.count);
          } else if (one.do === "up" && !w.running.has(one.rank)) {
            w.running.set(one.rank, new Map());
            w.scheduler.nodeUp(one.rank, w.slots[one.rank]!, 1);
          } else if (one.do === "down" && w.running.has(one.rank)) {
            const had = w.running.get(one.rank)!;
            w.running.delete(one.rank);
            const lost = w.scheduler.nodeDown(one.rank);
            expect(lost.flatMap(ids).sort((a, b) => a - b)).toEqual([...had.keys()].sort((a, b) => a - b));
            for (const range of lost.reverse()) lose(range);
          } else if ((one.do === "end" || one.do === "lose") && (w.running.get(one.rank)?.size ?? 0) > 0) {
            const had = w.running.get(one.rank)!;
            const id = [...had.keys()][one.pick % had.size]!;
            had.delete(id);
            const pieces = w.scheduler.ended(one.rank, id, 1);
            expect(pieces.flatMap(ids)).toEqual([id]);
            expect(w.scheduler.ended(one.rank, id, 1)).toEqual([]);
            if (one.do === "end") w.outcomes.set(id, "done");
            else lose(pieces[0]!);
          } else if (one.do === "cancel" && w.queueOf.size > 0) {
            const id = [...w.queueOf.keys()][one.pick % w.queueOf.size]!;
            const { queued, running } = w.scheduler.cancel(w.queueOf.get(id)!, id, 1);
            expect(queued.length + running.length, "a live task is in one place").toBe(w.outcomes.has(id) ? 0 : 1);
            if (queued.length > 0) w.outcomes.set(id, "cancelled");
            for (const { rank } of running) expect(w.running.get(rank)!.has(id)).toBe(true);
          } else if (one.do === "measure") w.scheduler.measured(one.group, one.ms);
          w.assign();
          for (const [rank, had] of w.running)
            expect(w.scheduler.position(rank, Number.MAX_SAFE_INTEGER).before).toBe(had.size);
        }
        // Bring everything up and let it finish.
        for (let rank = 0; rank < 4; rank++) {
          if (w.running.has(rank)) continue;
          w.running.set(rank, new Map());
          w.scheduler.nodeUp(rank, w.slots[rank]!, 1);
        }
        for (let round = 0; round < 10_000; round++) {
          w.assign();
          let any = false;
          for (const [rank, had] of w.running) {
            for (const id of [...had.keys()]) {
              had.delete(id);
              w.scheduler.ended(rank, id, 1);
              expect(w.outcomes.has(id)).toBe(false);
              w.outcomes.set(id, "done");
              any = true;
            }
          }
          if (!any) break;
        }
        expect(w.outcomes.size, "every task ended").toBe(w.queueOf.size);
        expect(w.scheduler.queued).toBe(0);
        expect(w.scheduler.inFlight).toBe(0);
        for (const [queue, started] of w.order) {
          if (queue !== 4)
            expect(started, "first starts are in the order of the calls").toEqual([...started].sort((a, b) => a - b));
        }
      }),
      { numRuns: 300 },
    );
  });

  it("assigns to 10,000 simulated nodes", () => {
    const scheduler = new Scheduler();
    scheduler.openQueue(0);
    for (let rank = 0; rank < 10_000; rank++) scheduler.nodeUp(rank, 1, 1);
    scheduler.measured(0, 2000);
    scheduler.enqueue(0, 0, 1, 10_000);
    const given = scheduler.assign();
    expect(given).toHaveLength(10_000);
    expect(new Set(given.map((one) => one.rank)).size).toBe(10_000);
  });
});
