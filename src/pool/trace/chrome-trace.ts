import type { SkyEvent } from "../../events/event.ts";
import type { MetricSampled, NodeEvent } from "../../events/node-events.ts";
import { stepOf } from "../../events/node-step.ts";
import type { TaskTimes } from "../../events/task-events.ts";
import type { PoolView } from "../../events/views.ts";
import { Lanes } from "./lanes.ts";
import type { TraceEntry } from "./trace-entry.ts";

/** 0 stands for an idle processor in the format. */
const POOL_PID = 1;
const FIRST_NODE_PID = 2;
const LIFE_TID = 1;
const FIRST_SLOT_TID = 10;
const FIRST_TRANSFER_TID = 100_000;

/** The rows of one node. */
interface Rows {
  readonly pid: number;
  readonly slots: Lanes;
  readonly transfers: Lanes;
  /** What it does, and since when. */
  step: { readonly step: string; readonly at: number } | undefined;
}

/** The events of one attempt. */
type Attempt = Extract<
  SkyEvent,
  { readonly type: "Task.Completed" | "Task.Failed" | "Task.Cancelled" | "Task.Retried" }
>;

/**
 * A pool's events as entries of a Chrome trace: a process for each node, with a row for its life, one for each slot, and
 * one for large values on their way. Nothing says which slot a task had, so tasks lie on as many rows as ran at once.
 */
export class ChromeTrace {
  readonly #write: (entry: TraceEntry) => void;
  readonly #beganMs: number;
  readonly #rows = new Map<number, Rows>();

  /** `view`: the pool so far, whose nodes' steps stand at the beginning. */
  constructor(view: PoolView, write: (entry: TraceEntry) => void) {
    this.#write = write;
    this.#beganMs = view.startedAt;
    this.#named(POOL_PID, LIFE_TID, "process_name", `pool ${view.name}`);
    this.#named(POOL_PID, LIFE_TID, "process_sort_index", 0);
    this.#named(POOL_PID, LIFE_TID, "thread_name", "life");
    for (const { node, steps, machine } of view.nodes) {
      this.#rowsOf(node, machine);
      for (const { step, at } of steps) this.#step(node, step, at);
    }
  }

  add(event: SkyEvent): void {
    switch (event.type) {
      case "Task.Completed":
      case "Task.Failed":
      case "Task.Cancelled":
      case "Task.Retried":
        return this.#attempt(event);
      case "Tasks.Progress":
        return this.#write({
          ph: "C",
          name: "tasks",
          ts: this.#us(event.at),
          pid: POOL_PID,
          tid: LIFE_TID,
          args: { queued: event.queued, running: event.running },
        });
      case "Tasks.Cached":
        return this.#moment(POOL_PID, `${event.name}: ${event.count} served from cache`, event.at, {});
      case "Transfer.Completed": {
        const { node, bytes, direction, elapsedMs, at } = event;
        const { pid, transfers } = this.#rowsOf(node);
        const lane = this.#lane(pid, transfers, FIRST_TRANSFER_TID, "transfer", at - elapsedMs, at);
        const name = `${direction === "in" ? "receive" : "send"} ${megabytes(bytes)}`;
        return this.#span({ pid, tid: lane.tid, name, cat: "transfer", from: lane.from, to: at, args: { bytes } });
      }
      case "Error.Occurred": {
        const pid = event.node === undefined ? POOL_PID : this.#rowsOf(event.node).pid;
        return this.#moment(pid, event.message, event.at, { code: event.code });
      }
      default:
        if (event.type.startsWith("Node.")) this.#node(event as NodeEvent);
    }
  }

  /** Ends what goes on. */
  end(nowMs: number): void {
    for (const rows of this.#rows.values()) this.#endStep(rows, nowMs);
  }

  #node(event: NodeEvent | MetricSampled): void {
    const { node, at } = event;
    if (event.type === "Node.Provisioned") this.#rowsOf(node, event.machine);
    if (event.type === "Node.Lost" || event.type === "Node.HostReplaced") {
      const what = event.type === "Node.Lost" ? `lost: ${event.reason}` : `host replaced (${event.signal ?? "exit"})`;
      this.#moment(this.#rowsOf(node).pid, what, at, {});
    }
    const step = stepOf(event);
    if (step !== undefined) this.#step(node, step, at);
  }

  #step(node: number, step: string, at: number): void {
    const rows = this.#rowsOf(node);
    this.#endStep(rows, at);
    rows.step = step === "gone" ? undefined : { step, at };
  }

  #endStep(rows: Rows, to: number): void {
    const { step, pid } = rows;
    rows.step = undefined;
    if (step) this.#span({ pid, tid: LIFE_TID, name: step.step, cat: "node", from: step.at, to, args: {} });
  }

  #attempt(event: Attempt): void {
    const { node, times, attempt, task } = event;
    // What never reached a node is on no row.
    if (node === undefined || times?.sentAt === undefined) return;
    const { pid, slots } = this.#rowsOf(node);
    const retried = event.type === "Task.Retried";
    const args = {
      task,
      // An event of a retry names the attempt that follows.
      attempt: retried ? attempt - 1 : attempt,
      outcome: {
        "Task.Completed": "done",
        "Task.Failed": "failed",
        "Task.Cancelled": "cancelled",
        "Task.Retried": "retried",
      }[event.type],
      ...(event.type === "Task.Failed" ? { error: `${event.error.name}: ${event.error.message}` } : {}),
      ...(retried ? { reason: `${event.reason}: ${event.message}` } : {}),
      ...waits(times),
    };
    const { startedAt, endedAt } = times;
    if (startedAt === undefined || endedAt === undefined)
      return this.#moment(pid, `${event.name} ${args.outcome}`, event.at, args);
    const { tid, from } = this.#lane(pid, slots, FIRST_SLOT_TID, "slot", startedAt, endedAt);
    this.#span({ pid, tid, name: event.name, cat: "task", from, to: endedAt, args });
  }

  /** The row of a span, named when it is new; the span begins where the one before it has ended. */
  #lane(
    pid: number,
    lanes: Lanes,
    first: number,
    name: string,
    from: number,
    to: number,
  ): { tid: number; from: number } {
    const rows = lanes.size;
    const { lane, free } = lanes.place(from, to);
    const tid = first + lane;
    if (lane === rows) {
      this.#named(pid, tid, "thread_name", `${name} ${lane}`);
      this.#named(pid, tid, "thread_sort_index", tid);
    }
    return { tid, from: Math.min(to, Math.max(from, free)) };
  }

  #rowsOf(node: number, machine?: string): Rows {
    let rows = this.#rows.get(node);
    const pid = FIRST_NODE_PID + node;
    if (!rows) {
      rows = { pid, slots: new Lanes(), transfers: new Lanes(), step: undefined };
      this.#rows.set(node, rows);
      this.#named(pid, LIFE_TID, "process_sort_index", pid);
      this.#named(pid, LIFE_TID, "thread_name", "life");
      this.#named(pid, LIFE_TID, "thread_sort_index", 0);
      if (machine === undefined) this.#named(pid, LIFE_TID, "process_name", `node ${node}`);
    }
    if (machine !== undefined) this.#named(pid, LIFE_TID, "process_name", `node ${node} (${machine})`);
    return rows;
  }

  #named(pid: number, tid: number, name: Extract<TraceEntry, { ph: "M" }>["name"], value: string | number): void {
    this.#write({ ph: "M", name, pid, tid, args: typeof value === "string" ? { name: value } : { sort_index: value } });
  }

  #span(span: {
    readonly pid: number;
    readonly tid: number;
    readonly name: string;
    readonly cat: string;
    readonly from: number;
    readonly to: number;
    readonly args: Readonly<Record<string, unknown>>;
  }): void {
    const { pid, tid, name, cat, from, to, args } = span;
    const ts = this.#us(from);
    this.#write({ ph: "X", name, cat, ts, dur: Math.max(0, this.#us(to) - ts), pid, tid, args });
  }

  #moment(pid: number, name: string, at: number, args: Readonly<Record<string, unknown>>): void {
    this.#write({ ph: "i", name, cat: "moment", ts: this.#us(at), pid, tid: LIFE_TID, s: "p", args });
  }

  /** Microseconds since the pool began. */
  #us(ms: number): number {
    return Math.max(0, Math.round((ms - this.#beganMs) * 1000));
  }
}

/** How long it stood in line, and how long it was on its way or stood in line on the node. */
function waits({ queuedAt, sentAt, startedAt }: TaskTimes): Readonly<Record<string, number>> {
  const round = (ms: number): number => Math.round(ms * 1000) / 1000;
  return {
    ...(sentAt === undefined ? {} : { queuedMs: round(sentAt - queuedAt) }),
    ...(sentAt === undefined || startedAt === undefined ? {} : { sentMs: round(startedAt - sentAt) }),
  };
}

function megabytes(bytes: number): string {
  return bytes < 1e6 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
