import type { SkyEvent } from "../events/event.ts";
import { count, duration, plural } from "./format.ts";

/** `life`: a step of a pool or node; `detail`: steps in between; `output`: what remote code wrote. */
export type LineKind = "life" | "good" | "failure" | "warning" | "detail" | "output";

export interface Line {
  readonly kind: LineKind;
  /** Left out for the pool. */
  readonly node?: number;
  /** May hold several lines, and escapes from remote text. */
  readonly text: string;
}

/** What the log says of an event; undefined for those that only move the numbers. */
export function describe(event: SkyEvent): Line | undefined {
  switch (event.type) {
    case "Log.Emitted": {
      const bad = event.level === "error" ? "failure" : event.level === "warning" ? "warning" : "output";
      return { kind: bad, node: event.node, text: event.message };
    }
    case "Events.Dropped":
      return { kind: "warning", text: `${plural(event.count, "event")} not shown: the reader was too slow` };
    case "Error.Occurred":
      return { kind: "failure", node: event.node, text: withHint(event.message, event.code, event.hint) };
    case "Task.Failed": {
      const after = `${event.attempt > 1 ? ` on attempt ${event.attempt}` : ""} after ${duration(event.elapsedMs)}`;
      const error = `${event.error.name}: ${event.error.message}`;
      return {
        kind: "failure",
        node: event.node,
        text: `${event.name} failed${after}: ${withHint(error, event.error.code)}`,
      };
    }
    case "Task.Progress": {
      const of = event.of === undefined ? "" : ` of ${event.of}`;
      return { kind: "detail", node: event.node, text: `${event.name} (${event.task}): ${event.done}${of}` };
    }
    case "Task.Inspectable":
      return {
        kind: "warning",
        node: event.node,
        text: `${event.name} (${event.task}) waits for a debugger: ${event.address}\nchrome://inspect, Configure: 127.0.0.1:${event.port}; or attach an editor to port ${event.port}`,
      };
    case "Tasks.Cached":
      return { kind: "life", text: `${event.name}: ${plural(event.count, "result")} served from cache` };
    case "Task.Retried": {
      const culprit = event.culprit === undefined ? "" : `, brought down by ${event.culprit}`;
      const after = event.waitMs === undefined ? "" : ` in ${duration(event.waitMs)}`;
      const text = `${event.name} runs again${after} (${event.reason}${culprit}): ${event.message}`;
      return { kind: "warning", node: event.node, text };
    }
    default:
      return describePool(event) ?? describeNode(event);
  }
}

function describePool(event: SkyEvent): Line | undefined {
  switch (event.type) {
    case "Pool.Provisioning":
      return { kind: "life", text: `provisioning ${plural(event.totalNodes, "node")} (${event.provider})` };
    case "Pool.Ready": {
      const size = `${plural(event.nodes, "node")}, ${plural(event.slots, "slot")}`;
      return { kind: "good", text: `ready: ${size}, after ${duration(event.elapsedMs)}` };
    }
    case "Pool.ProvisionFailed":
      return { kind: "failure", text: `provisioning failed: ${withHint(event.reason, event.code)}` };
    case "Pool.NoOffers": {
      const wanted = event.specs.map((spec) => `${spec.provider} ${spec.accelerator} ${spec.allocation}`).join("; ");
      return { kind: "failure", text: `no offer for ${wanted}` };
    }
    case "Pool.Stopping":
      return { kind: "detail", text: `closing: ${event.reason}` };
    case "Pool.Kept": {
      const text = `${plural(event.nodes.length, "node")} kept for the next run, until ${timeOf(event.untilMs)}`;
      return { kind: "life", text };
    }
    case "Scaling.DesiredChanged":
      return { kind: "life", text: `nodes ${event.previous} -> ${event.desired}: ${event.reason}` };
    case "Scaling.Draining":
      return {
        kind: "life",
        text: `draining ${event.nodes.map((node) => `node ${node}`).join(", ")}: ${event.reason}`,
      };
    default:
      return undefined;
  }
}

function describeNode(event: SkyEvent): Line | undefined {
  switch (event.type) {
    case "Node.PhaseChanged":
      return { kind: "detail", node: event.node, text: event.phase };
    case "Node.Connected":
      return {
        kind: "detail",
        node: event.node,
        text: `connected to ${event.machine} after ${duration(event.elapsedMs)}`,
      };
    case "Node.Ready":
      return { kind: "life", node: event.node, text: `ready: ${event.machine}, after ${duration(event.elapsedMs)}` };
    case "Node.Disconnected":
      return { kind: "warning", node: event.node, text: `link cut, reconnecting: ${event.reason}` };
    case "Node.Reconnected":
      return { kind: "life", node: event.node, text: `link is back after ${duration(event.elapsedMs)}` };
    case "Node.Lost":
      return { kind: "failure", node: event.node, text: `lost (${event.cause}): ${event.reason}${logIn(event.log)}` };
    case "Node.ConnectionFailed": {
      const again = event.retryInMs === undefined ? "" : `; next try in ${duration(event.retryInMs)}`;
      const text = `connection failed: ${withHint(event.error, event.code, event.hint)}${again}`;
      return { kind: "failure", node: event.node, text };
    }
    case "Node.WorkerFailed":
      return {
        kind: "failure",
        node: event.node,
        text: `agent failed: ${withHint(event.error, event.code)}${logIn(event.log)}`,
      };
    case "Node.Preempted": {
      const notice = event.noticeMs === undefined ? "" : `, gone in ${duration(event.noticeMs)}`;
      return { kind: "failure", node: event.node, text: `preempted${notice}: ${event.reason}` };
    }
    case "Node.HostReplaced": {
      const how = event.signal ?? `exit code ${event.exitCode ?? "unknown"}`;
      const held = event.tasks > 0 ? `, ${plural(event.tasks, "task")} interrupted` : "";
      const last = event.stderr === undefined || event.stderr.trim() === "" ? "" : `\n${event.stderr.trimEnd()}`;
      return { kind: "failure", node: event.node, text: `host died (${how})${held}; replaced${last}` };
    }
    case "Node.Replaced":
      return { kind: "life", node: event.node, text: `${event.machine} takes the place of ${event.previous}` };
    case "Node.Adopted":
      return { kind: "life", node: event.node, text: `adopted ${event.machine}, kept since ${timeOf(event.keptAt)}` };
    case "Node.Installing":
      return { kind: "life", node: event.node, text: `installing ${event.package}` };
    case "Node.Installed":
      return {
        kind: "detail",
        node: event.node,
        text: `installed ${event.package} in ${duration(event.elapsedMs)}`,
      };
    case "Node.Bootstrap.Completed":
      return { kind: "detail", node: event.node, text: `${event.phase} done in ${duration(event.elapsedMs)}` };
    case "Node.Bootstrap.Command":
      return { kind: "detail", node: event.node, text: `$ ${event.command}` };
    case "Node.Bootstrap.Output":
      return { kind: "output", node: event.node, text: event.output };
    case "Node.Bootstrap.Failed": {
      const exit = event.exitCode === undefined ? "" : ` (exit code ${count(event.exitCode)})`;
      return { kind: "failure", node: event.node, text: `${event.phase} failed${exit}: ${event.error}` };
    }
    default:
      return undefined;
  }
}

function withHint(message: string, code?: string, hint?: string): string {
  const named = code === undefined || message.includes(code) ? message : `${message} [${code}]`;
  return hint === undefined ? named : `${named}\n${hint}`;
}

function timeOf(ms: number): string {
  return new Date(ms).toLocaleTimeString("en-GB");
}

/** Where the log of a failed node is. */
function logIn(file: string | undefined): string {
  return file === undefined ? "" : `; its log: ${file}`;
}
