import { describe, expect, it } from "vitest";
import { EventBus } from "./bus.ts";
import type { EventsUnder, SkyEvent } from "./event.ts";

const base = { pool: "p", at: 1 };
const log = (message: string): SkyEvent => ({ ...base, type: "Log.Emitted", stream: "stdout", message });
const progress = (done: number): SkyEvent => ({
  ...base,
  type: "Tasks.Progress",
  queued: 0,
  running: 0,
  done,
  failed: 0,
  cancelled: 0,
});
const stopping: SkyEvent = { ...base, type: "Pool.Stopping", reason: "scope left" };
const ready = (node: number): SkyEvent => ({ ...base, type: "Node.Ready", node, machine: "m", slots: 1, elapsedMs: 1 });

async function all<T>(events: AsyncIterable<T>): Promise<T[]> {
  const seen: T[] = [];
  for await (const event of events) seen.push(event);
  return seen;
}

describe("EventBus", () => {
  it("delivers to every subscriber until it leaves, and leaving twice is fine", () => {
    const bus = new EventBus();
    const a: string[] = [];
    const b: string[] = [];
    const leave = bus.subscribe((event) => a.push(event.type));
    bus.subscribe((event) => b.push(event.type), { only: ["Node"] });
    bus.emit(log("x"));
    bus.emit(ready(0));
    leave();
    leave();
    bus.emit(ready(1));
    expect(a).toEqual(["Log.Emitted", "Node.Ready"]);
    expect(b).toEqual(["Node.Ready", "Node.Ready"]);
  });

  it("says what somebody wants, by prefix and by type", () => {
    const bus = new EventBus();
    expect(bus.wants("Task")).toBe(false);
    const leave = bus.subscribe(() => {}, { only: ["Tasks", "Task.Failed"] });
    expect(bus.wants("Task.Failed")).toBe(true);
    expect(bus.wants("Task.Completed")).toBe(false);
    expect(bus.wants("Task")).toBe(true);
    expect(bus.wants("Tasks.Progress")).toBe(true);
    expect(bus.wants("Log.Emitted")).toBe(false);
    leave();
    expect(bus.wants("Task.Failed")).toBe(false);
    bus.subscribe(() => {});
    expect(bus.wants("Task.Completed")).toBe(true);
    bus.close();
    expect(bus.wants("Task.Completed")).toBe(false);
  });

  it("keeps one order for all when a listener emits", () => {
    const bus = new EventBus();
    const seen: string[] = [];
    bus.subscribe((event) => {
      if (event.type === "Node.Ready") bus.emit(stopping);
    });
    bus.subscribe((event) => seen.push(event.type));
    bus.emit(ready(0));
    expect(seen).toEqual(["Node.Ready", "Pool.Stopping"]);
  });

  it("delivers to the others when a listener throws, and throws its error on its own", async () => {
    const bus = new EventBus();
    const seen: string[] = [];
    const others = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    const thrown = new Promise((resolve) => process.once("uncaughtException", resolve));
    bus.subscribe(() => {
      throw new Error("mine");
    });
    bus.subscribe((event) => seen.push(event.type));
    bus.emit(stopping);
    expect(await thrown).toMatchObject({ message: "mine" });
    for (const listener of others) process.on("uncaughtException", listener);
    expect(seen).toEqual(["Pool.Stopping"]);
  });
});

describe("iteration", () => {
  it("starts when asked for, ends after what is buffered when the bus closes", async () => {
    const bus = new EventBus();
    bus.emit(log("before"));
    const reading = all(bus);
    bus.emit(log("a"));
    bus.emit(ready(0));
    bus.close();
    bus.emit(log("after"));
    expect((await reading).map((event) => event.type)).toEqual(["Log.Emitted", "Node.Ready"]);
    expect(await all(bus)).toEqual([]);
  });

  it("unsubscribes on break and wakes a reader that waits", async () => {
    const bus = new EventBus();
    queueMicrotask(() => bus.emit(ready(3)));
    for await (const event of bus.events({ only: ["Node"] })) {
      const typed: EventsUnder<"Node"> = event;
      expect(typed.node).toBe(3);
      break;
    }
    expect(bus.wants("Node")).toBe(false);
    const iterator = bus[Symbol.asyncIterator]();
    const pending = iterator.next();
    await iterator.return?.();
    expect(await pending).toEqual({ done: true, value: undefined });
  });

  it("drops the oldest lines first, counts them, and keeps the life of nodes", async () => {
    const bus = new EventBus();
    const reading = bus.events({ buffer: 4 })[Symbol.asyncIterator]();
    for (const event of [ready(0), log("1"), log("2"), progress(1), log("3"), ready(1), ready(2)]) bus.emit(event);
    bus.close();
    const seen: SkyEvent[] = [];
    for (let next = await reading.next(); next.done !== true; next = await reading.next()) seen.push(next.value);
    expect(seen).toEqual([
      { ...base, type: "Events.Dropped", count: 3, byType: { "Log.Emitted": 3 } },
      ready(0),
      progress(1),
      ready(1),
      ready(2),
    ]);
  });

  it("drops a new line when only worthier events are buffered, and stays bounded whatever comes", async () => {
    const bus = new EventBus();
    const reading = bus.events({ buffer: 3 })[Symbol.asyncIterator]();
    for (let i = 0; i < 1000; i++) {
      bus.emit(ready(i));
      bus.emit(log("x"));
    }
    bus.close();
    const first = await reading.next();
    expect(first.value).toMatchObject({ type: "Events.Dropped", count: 1997 });
    const rest: number[] = [];
    for (let next = await reading.next(); next.done !== true; next = await reading.next()) {
      if (next.value.type === "Node.Ready") rest.push(next.value.node);
    }
    expect(rest).toEqual([997, 998, 999]);
  });
});
