import { describe, expect, it } from "vitest";
import { EventBus } from "../events/bus.ts";
import type { SkyEvent } from "../events/event.ts";
import { attachConsole, type ConsoleOptions } from "./attach.ts";
import type { ConsoleMode } from "./mode.ts";
import { consoleMode } from "./mode.ts";
import { Screen } from "./screen.fixture.ts";

type Unstamped<T> = T extends SkyEvent ? Omit<T, "pool" | "at"> : never;

const NOON = new Date(2026, 0, 5, 12, 0, 0).getTime();

/** A console on a bus, with a clock that only we move. */
function open(
  mode: ConsoleMode,
  given: { tty?: boolean; columns?: number; stream?: Screen; env?: ConsoleOptions["env"]; sharedWith?: Screen[] } = {},
) {
  const bus = new EventBus();
  const stream = given.stream ?? new Screen(given.tty ?? false, given.columns ?? 100);
  const timers = new Set<{ callback: () => void; ms: number; next: number }>();
  let now = NOON;
  const shown = attachConsole(bus, {
    mode,
    stream,
    sharedWith: given.sharedWith ?? [],
    env: given.env ?? {},
    now: () => now,
    every(callback, ms) {
      const timer = { callback, ms, next: now + ms };
      timers.add(timer);
      return () => timers.delete(timer);
    },
  });
  return {
    bus,
    stream,
    timers,
    emit: (event: Unstamped<SkyEvent>, pool = "p") => bus.emit({ pool, at: now, ...event }),
    pass(ms: number) {
      const until = now + ms;
      for (now += 10; now <= until; now += 10) {
        for (const timer of timers) {
          if (timer.next > now) continue;
          timer.next += timer.ms;
          timer.callback();
        }
      }
      now = until;
    },
    end: () => shown[Symbol.dispose](),
  };
}

const start = { type: "Pool.Provisioning", totalNodes: 2, provider: "local", concurrency: 2 } as const;
const ready = (node: number) =>
  ({ type: "Node.Ready", node, machine: `local-${node}`, slots: 2, elapsedMs: 210 }) as const;
const poolReady = { type: "Pool.Ready", nodes: 2, slots: 4, elapsedMs: 400 } as const;
const log = (node: number, message: string) => ({ type: "Log.Emitted", stream: "stdout", node, message }) as const;
const progress = (queued: number, running: number, done: number, failed = 0) =>
  ({ type: "Tasks.Progress", queued, running, done, failed, cancelled: 0 }) as const;
const failed = (i: number) =>
  ({
    type: "Task.Failed",
    task: `t${i}`,
    name: "train",
    node: 1,
    attempt: 1,
    elapsedMs: 12,
    error: { name: "RangeError", message: "lr is \x1b]0;bad\x07negative" },
  }) as const;

describe("the log", () => {
  it("appends whole plain lines of time, label and message, and ends with a summary", () => {
    const pool = open("auto");
    pool.emit(start);
    pool.pass(1000);
    pool.emit(ready(1));
    pool.emit(poolReady);
    pool.emit(log(1, "\x1b[31mepoch 1\x1b[0m\r\x1b]0;t\x07epoch 2"));
    pool.emit(progress(0, 2, 0));
    pool.pass(4000);
    pool.emit(failed(0));
    pool.emit(progress(0, 0, 399, 1));
    pool.emit({ type: "Pool.Stopped", elapsedMs: 5200 });
    pool.emit({ type: "Node.Lost", node: 1, cause: "nodeGone", reason: "released" });
    pool.end();
    expect(pool.stream.text).toBe(
      [
        "12:00:00  pool     provisioning 2 nodes (local)",
        "12:00:01  node 1   ready: local-1, after 210 ms",
        "12:00:01  pool     ready: 2 nodes, 4 slots, after 400 ms",
        "12:00:01  node 1   epoch 2",
        "12:00:05  node 1   train failed after 12 ms: RangeError: lr is negative",
        "12:00:05  pool     400 tasks (1 failed) in 4.0 s, 100/s; pool open 5.2 s, 1 node",
        "",
      ].join("\n"),
    );
    expect(pool.stream.writes.every((write) => write.endsWith("\n"))).toBe(true);
    expect(pool.timers.size).toBe(0);
  });

  it("prefixes every line of a message of several lines", () => {
    const pool = open("log");
    pool.emit({
      type: "Node.HostReplaced",
      node: 0,
      generation: 2,
      signal: "SIGSEGV",
      exitCode: null,
      stderr: "a\nb\n",
      tasks: 3,
    });
    expect(pool.stream.text).toBe(
      "12:00:00  node 0   host died (SIGSEGV), 3 tasks interrupted; replaced\n12:00:00  node 0   a\n12:00:00  node 0   b\n",
    );
  });

  it("names the pool when another one shows on the same terminal, and tells namesakes apart", () => {
    const [first, stream] = [open("auto", { tty: true }), new Screen(true, 100)];
    const [one, two] = [open("auto", { tty: true, stream }), open("auto", { tty: true, stream })];
    for (const pool of [first, one, two]) pool.emit(start);
    for (const pool of [first, one, two]) pool.emit(log(0, "x"));
    expect(stream.visible()).toContain("12:00:00  p/node 0  x");
    expect(stream.visible()).toContain("12:00:00  p-2/node 0  x");
    expect(first.stream.visible()).toContain("12:00:00  node 0   x");
    for (const pool of [first, one, two]) pool.pass(500);
    expect(stream.visible().filter((row) => / waiting /.test(row))).toEqual([
      "p/node 0  waiting     0 s",
      "p/node 1  waiting     0 s",
      "p-2/node 0  waiting     0 s",
      "p-2/node 1  waiting     0 s",
    ]);
    one.end();
    two.emit(log(1, "y"));
    expect(stream.visible()).toContain("12:00:00  p-2/node 1  y");
    for (const pool of [first, two]) pool.end();
  });

  it("names the pool in the label when there are several", () => {
    const pool = open("log");
    pool.emit(start, "a");
    pool.emit(start, "b");
    pool.emit(log(0, "x"), "a");
    expect(pool.stream.lines.at(-1)).toBe("12:00:00  a/node 0  x");
  });

  it("never holds an escape when it is no terminal, and colours when they are forced", () => {
    const remote = log(0, "\x1b[32mgreen\x1b[0m \x1b[2Jx");
    const plain = open("rich", { env: { NO_COLOR: "" } });
    plain.emit(remote);
    expect(plain.stream.text).not.toContain("\x1b");
    const forced = open("rich", { env: { FORCE_COLOR: "1", NO_COLOR: "1" } });
    forced.emit(remote);
    expect(forced.stream.text).toContain("\x1b[32mgreen\x1b[0m x");
    const none = open("rich", { tty: true, env: { NO_COLOR: "1" } });
    none.emit(remote);
    expect(none.stream.text).toBe("12:00:00  node 0   green x\n");
  });

  it("holds a storm of failures back and counts it", () => {
    const pool = open("log");
    for (let i = 0; i < 500; i++) pool.emit(failed(i));
    expect(pool.stream.lines.length).toBe(10);
    pool.pass(2000);
    expect(pool.stream.lines.at(-1)).toBe("12:00:01  pool     490 more tasks failed or ran again");
    pool.emit(failed(501));
    expect(pool.stream.lines.length).toBe(12);
  });

  it("says after 5 s why nothing happens, and every 30 s how far it is", () => {
    const pool = open("log");
    pool.emit({ ...start, totalNodes: 4 });
    pool.emit({ type: "Node.Provisioned", node: 0, machine: "a", address: "a", elapsedMs: 1 });
    pool.emit(progress(40, 0, 0));
    pool.pass(8000);
    expect(pool.stream.lines.slice(1)).toEqual([
      "12:00:05  pool     nodes 0/4 · 0 done, 0 running, 40 queued · waiting for nodes: 3 of 4 to be provisioned, 1 of 4 connecting 5 s",
    ]);
    pool.emit(ready(0));
    pool.emit(progress(30, 2, 8));
    pool.pass(60_000);
    expect(pool.stream.lines.slice(2)).toEqual([
      "12:00:08  node 0   ready: local-0, after 210 ms",
      expect.stringContaining("8 done, 2 running, 30 queued"),
    ]);
  });

  it("prints nothing but life cycle and failures when minimal, and wants no lines", () => {
    const pool = open("minimal");
    expect(pool.bus.wants("Log")).toBe(false);
    pool.emit(start);
    pool.emit({ type: "Node.PhaseChanged", node: 0, phase: "pushing the agent" });
    pool.emit(failed(0));
    expect(pool.stream.lines.map((line) => line.slice(10))).toEqual([
      "pool     provisioning 2 nodes (local)",
      "node 1   train failed after 12 ms: RangeError: lr is negative",
    ]);
  });

  it("prints nothing when silent, and costs nothing", () => {
    const pool = open("silent", { tty: true });
    expect(pool.bus.wants("Pool")).toBe(false);
    pool.emit(start);
    pool.end();
    expect(pool.stream.text).toBe("");
    expect(pool.timers.size).toBe(0);
  });

  it("tells how far bodies say they are: first, last, and now and then", () => {
    const pool = open("auto");
    const report = (task: string, done: number, of?: number) =>
      pool.emit({ type: "Task.Progress", task, name: "train", node: 1, attempt: 1, done, ...(of ? { of } : {}) });
    for (let done = 1; done <= 20; done++) {
      report("t1", done, 20);
      pool.pass(500);
    }
    report("t2", 7);
    expect(pool.stream.lines.map((line) => line.slice(10).trim())).toEqual([
      "node 1   train (t1): 1 of 20",
      "node 1   train (t1): 11 of 20",
      "node 1   train (t1): 20 of 20",
      "node 1   train (t2): 7",
    ]);
    for (let task = 10; task < 1000; task++) report(`t${task}`, 1, 2);
    expect(pool.stream.lines.length).toBeLessThan(20);
  });

  it("asks for no event of a single task that went well", () => {
    const pool = open("auto", { tty: true });
    expect(pool.bus.wants("Task.Completed")).toBe(false);
    expect(pool.bus.wants("Task.Assigned")).toBe(false);
    expect(pool.bus.wants("Task.Failed")).toBe(true);
  });
});

/** What stands there, without the lines of single nodes. */
const rowsOf = (screen: Screen): string[] => screen.visible().filter((row) => !row.startsWith("node "));

describe("the status row", () => {
  it("stands below the log, shows where the pool is, and is gone at the end", () => {
    const pool = open("auto", { tty: true });
    pool.emit(start);
    pool.pass(200);
    expect(rowsOf(pool.stream)).toEqual([
      "12:00:00  pool     provisioning 2 nodes (local)",
      "nodes 0/2 · provisioning 200 ms",
    ]);
    pool.emit(ready(0));
    pool.emit(ready(1));
    pool.emit(poolReady);
    for (let done = 0; done <= 40; done++) {
      pool.emit(progress(100 - done, 4, done));
      pool.pass(100);
    }
    expect(rowsOf(pool.stream).at(-1)).toBe(
      "nodes 2/2 · slots 4/4 · 40 done, 4 running, 60 queued · 9.8/s · 6.6 s left",
    );
    expect(rowsOf(pool.stream).length).toBe(5);
    pool.emit(progress(0, 0, 104));
    pool.emit({ type: "Pool.Stopped", elapsedMs: 4300 });
    pool.end();
    expect(rowsOf(pool.stream).at(-1)).toMatch(
      /^12:00:04 {2}pool {5}104 tasks in 4\.1 s, 25\.4\/s; pool open 4\.3 s, 2 nodes$/,
    );
    expect(pool.stream.column).toBe(0);
  });

  it("says why nothing runs", () => {
    const pool = open("auto", { tty: true, columns: 200 });
    pool.emit({ ...start, totalNodes: 4 });
    for (const node of [0, 1, 2, 3])
      pool.emit({ type: "Node.Provisioned", node, machine: "m", address: "a", elapsedMs: 1 });
    for (const node of [0, 1]) pool.emit({ type: "Node.Connected", node, machine: "m", elapsedMs: 1 });
    pool.emit(progress(10, 0, 0));
    pool.pass(12_000);
    expect(rowsOf(pool.stream).at(-1)).toBe(
      "nodes 0/4 · 0 done, 0 running, 10 queued · waiting for nodes: 2 of 4 connecting, 2 of 4 starting 12 s",
    );
  });

  it("is drawn at most 10 times a second, and only when it changes", () => {
    const pool = open("auto", { tty: true });
    pool.emit(start);
    for (const node of [0, 1]) pool.emit(ready(node));
    pool.emit(poolReady);
    pool.pass(1000);
    const before = pool.stream.writes.length;
    for (let i = 0; i < 1000; i++) {
      pool.emit(progress(1000 - i, 1, i));
      pool.pass(10);
    }
    expect(pool.stream.writes.length - before).toBeLessThanOrEqual(100);
    const idle = pool.stream.writes.length;
    pool.emit(progress(0, 0, 1000));
    pool.pass(20_000);
    const settled = pool.stream.writes.length;
    pool.pass(20_000);
    expect(settled - idle).toBeLessThanOrEqual(60);
    // Its ages go on.
    expect(pool.stream.writes.length - settled).toBeLessThanOrEqual(20);
  });

  it("never wraps, whatever the width", () => {
    const pool = open("auto", { tty: true, columns: 20 });
    pool.emit(start);
    pool.pass(500);
    expect(rowsOf(pool.stream).at(-1)).toBe("nodes 0/2 · provisi");
  });

  it("keeps apart from what the program itself prints, finished lines and unfinished ones", () => {
    const stdout = new Screen(true, 100);
    const pool = open("auto", { tty: true, sharedWith: [stdout] });
    stdout.mirror(pool.stream);
    pool.emit(start);
    pool.pass(100);
    stdout.write("mine\n");
    stdout.write("half");
    pool.pass(300);
    expect(rowsOf(pool.stream)).toEqual(["12:00:00  pool     provisioning 2 nodes (local)", "mine", "half"]);
    stdout.write(" done\n");
    pool.pass(100);
    expect(rowsOf(pool.stream).slice(1)).toEqual(["mine", "half done", "nodes 0/2 · provisioning 500 ms"]);
    stdout.write("again");
    pool.emit(log(0, "remote"));
    expect(rowsOf(pool.stream).slice(3, 5)).toEqual(["again", "12:00:00  node 0   remote"]);
    pool.end();
    expect(Object.hasOwn(stdout, "write")).toBe(false);
    expect(Object.hasOwn(pool.stream, "write")).toBe(false);
    expect(rowsOf(pool.stream).length).toBe(5);
  });

  it("shares the terminal with the row of another console", () => {
    const a = open("auto", { tty: true });
    a.emit(start);
    a.pass(100);
    const bus = new EventBus();
    const ticks: (() => void)[] = [];
    const other = attachConsole(bus, {
      stream: a.stream,
      sharedWith: [],
      env: {},
      now: () => NOON,
      every: (callback) => (ticks.push(callback), () => {}),
    });
    bus.emit({ ...start, totalNodes: 7, pool: "q", at: NOON });
    for (const tick of ticks) tick();
    a.pass(100);
    expect(rowsOf(a.stream).filter((row) => /^[pq]: /.test(row))).toEqual([
      "p: nodes 0/2 · provisioning 200 ms",
      "q: nodes 0/7 · provisioning 0.0 ms",
    ]);
    a.end();
    expect(rowsOf(a.stream).at(-1)).toBe("q: nodes 0/7 · provisioning 0.0 ms");
    other[Symbol.dispose]();
    expect(rowsOf(a.stream).length).toBe(2);
  });

  it("is left out on a dumb terminal and in log mode, and can be forced", () => {
    for (const [mode, tty, env, live] of [
      ["auto", true, { TERM: "dumb" }, false],
      ["log", true, {}, false],
      ["minimal", true, {}, true],
      ["rich", false, { SKYWARD_CONSOLE_FORCE_TTY: "yes" }, true],
    ] as const) {
      const pool = open(mode, { tty, env });
      pool.emit(start);
      pool.pass(100);
      expect(pool.stream.text.includes("\x1b[?7l")).toBe(live);
      pool.end();
    }
  });
});

describe("consoleMode", () => {
  it("reads modes and booleans, and refuses the rest", () => {
    expect([undefined, true, false, "rich"].map(consoleMode)).toEqual(["auto", "auto", "silent", "rich"]);
    expect(() => consoleMode("loud")).toThrow(expect.objectContaining({ code: "SKY_BAD_OPTION" }));
  });
});
