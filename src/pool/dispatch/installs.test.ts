import { beforeEach, describe, expect, test } from "vitest";
import { SkyError } from "../../errors/sky-error.ts";
import type { Code } from "../../function/capture/code.ts";
import { Scheduler } from "../core/scheduler.ts";
import type { Bind } from "./bind.ts";
import { Installs } from "./installs.ts";
import type { NodePort } from "./node-port.ts";
import type { Segment } from "./segment.ts";

/** A node that answers when the test says so. */
class SlowNode {
  readonly rank: number;
  asked = 0;
  done: () => void = () => {};
  fails: (error: SkyError) => void = () => {};

  constructor(rank: number) {
    this.rank = rank;
  }

  prepare(): Promise<void> {
    this.asked++;
    return new Promise((resolve, reject) => {
      this.done = resolve;
      this.fails = reject;
    });
  }
}

const code = { artifact: { externals: [{ name: "sharp" }] }, ready: () => Promise.resolve() } as unknown as Code;
const bind = { code, group: 7 } as Bind;
const broken = new SkyError("SKY_INSTALL_FAILED", "sharp@0.34.5 can't be installed on the node");
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

let now: number;
let nodes: SlowNode[];
let ports: Map<number, NodePort>;
let scheduler: Scheduler;
let installs: Installs;
let failed: [target: number, error: unknown][];
let segments: Segment[];

beforeEach(() => {
  now = 0;
  nodes = [new SlowNode(0), new SlowNode(1)];
  ports = new Map(nodes.map((node) => [node.rank, node as unknown as NodePort]));
  scheduler = new Scheduler();
  scheduler.openQueue(1);
  for (const node of nodes) scheduler.nodeUp(node.rank, 1, 0);
  failed = [];
  segments = [-1, 0, 1].map((target) => ({ bind, target }) as Segment);
  installs = new Installs({
    scheduler,
    ports,
    segments,
    now: () => now,
    schedule: () => {},
    fail: (segment, error) => failed.push([segment.target, error]),
    refusal: (error) => error,
  });
});

/** The ranks that tasks of the code go to now. */
function goesTo(): number[] {
  scheduler.enqueue(1, bind.group, 100, 8);
  const ranks = scheduler.assign().map(({ rank, first, count }) => {
    scheduler.ended(rank, first, count);
    return rank;
  });
  scheduler.cancel(1, 100, 8);
  return [...new Set(ranks)].sort((a, b) => a - b);
}

describe("a code that needs packages", () => {
  test("waits for the first node that has them, and goes to no other", async () => {
    expect(installs.has(code)).toBe(false);
    const first = installs.prepare(bind);
    await settled();
    expect(goesTo()).toEqual([]);
    nodes[1]!.done();
    await first;
    expect(installs.has(code)).toBe(true);
    expect(goesTo()).toEqual([1]);
    nodes[0]!.done();
    await settled();
    expect(goesTo()).toEqual([0, 1]);
    expect(nodes.map((node) => node.asked)).toEqual([1, 1]);
  });

  test("is installed on nodes that come later", async () => {
    const first = installs.prepare(bind);
    await settled();
    nodes[0]!.done();
    await first;
    const late = new SlowNode(2);
    ports.set(2, late as unknown as NodePort);
    scheduler.nodeUp(2, 1, 0);
    installs.up(late as unknown as NodePort);
    expect(goesTo()).toEqual([0]);
    late.done();
    await settled();
    expect(goesTo()).toEqual([0, 2]);
  });

  test("fails on one node for the tasks of that node alone, until it is tried again", async () => {
    const first = installs.prepare(bind);
    await settled();
    nodes[0]!.fails(broken);
    nodes[1]!.done();
    await first;
    await settled();
    expect(failed).toEqual([[0, broken]]);
    expect(goesTo()).toEqual([1]);
    expect(installs.failure(code, 0)).toBe(broken);
    expect(installs.failure(code, 1)).toBeUndefined();
    now = 10_000;
    expect(installs.failure(code, 0)).toBeUndefined();
    nodes[0]!.done();
    await settled();
    expect(goesTo()).toEqual([0, 1]);
  });

  test("fails when no node can have it, and is tried again after a while", async () => {
    const first = installs.prepare(bind);
    await settled();
    for (const node of nodes) node.fails(broken);
    await expect(first).rejects.toBe(broken);
    expect(failed.map(([target]) => target)).toEqual([0, 1, -1, 0, 1]);
    await expect(installs.prepare(bind)).rejects.toBe(broken);
    expect(nodes[0]!.asked).toBe(1);
    now = 10_000;
    const again = installs.prepare(bind);
    await settled();
    nodes[0]!.done();
    await again;
    expect(nodes[0]!.asked).toBe(2);
  });

  test("fails when the only node that could have had it goes", async () => {
    const first = installs.prepare(bind);
    await settled();
    nodes[0]!.fails(broken);
    await settled();
    ports.delete(1);
    scheduler.nodeDown(1);
    installs.down(nodes[1] as unknown as NodePort);
    await expect(first).rejects.toBe(broken);
  });
});

test("a code that needs none waits for nothing", async () => {
  const plain = { artifact: { externals: [] }, ready: () => Promise.resolve() } as unknown as Code;
  expect(installs.has(plain)).toBe(true);
  await installs.prepare({ code: plain, group: 8 } as Bind);
  expect(nodes.map((node) => node.asked)).toEqual([0, 0]);
});
