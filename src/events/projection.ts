import type { SkyEvent } from "./event.ts";
import type { MetricSampled, NodeEvent } from "./node-events.ts";
import type { PoolEvent, PoolPhase } from "./pool-events.ts";
import { projectNode } from "./project-node.ts";
import { projectTasks } from "./project-tasks.ts";
import { emptyNode, emptyPool, type NodeView, type PoolView, type ScalingView, type SessionView } from "./views.ts";

const MAX_RANK = 100_000;
const MAX_PHASES = 64;

/** Folds one event into the view of all pools. A pool that was not known before gets a view from its first event on. */
export function project(view: SessionView, event: SkyEvent): SessionView {
  const known = Object.hasOwn(view.pools, event.pool) ? view.pools[event.pool] : undefined;
  const next = projectPool(known ?? emptyPool(event.pool, event.at), event);
  return next === known ? view : { pools: { ...view.pools, [event.pool]: next } };
}

/** Folds one event of a pool into its view. Pure; a view that the event does not change is returned as it is. */
export function projectPool(view: PoolView, event: SkyEvent): PoolView {
  switch (event.type) {
    case "Log.Emitted":
    case "Transfer.Completed":
    case "Events.Dropped":
      return view;
    case "Tasks.Progress":
    case "Tasks.Cached":
    case "Task.Cached":
    case "Task.Queued":
    case "Task.Assigned":
    case "Task.Progress":
    case "Task.Completed":
    case "Task.Failed":
    case "Task.Cancelled":
    case "Task.Retried":
    case "Task.Inspectable":
    case "Task.BroadcastPartial": {
      const tasks = projectTasks(view.tasks, event);
      return tasks === view.tasks ? view : { ...view, tasks };
    }
    case "Pool.Provisioning": {
      // A second life of the same name begins from nothing.
      const fresh = view.stoppedAt === undefined ? view : emptyPool(view.name, event.at);
      const begun = { ...fresh, phase: "provisioning" as const, provider: event.provider, startedAt: event.at };
      return resize(begun, event.totalNodes, event.at);
    }
    case "Pool.Provisioned":
    case "Pool.PhaseChanged":
    case "Pool.Ready":
    case "Pool.ProvisionFailed":
    case "Pool.NoOffers":
    case "Pool.Reconciled":
    case "Pool.Stopping":
    case "Pool.Kept":
    case "Pool.Stopped":
    case "Error.Occurred":
      return projectLife(view, event);
    case "Scaling.DesiredChanged": {
      const scaled = { ...view, scaling: { ...view.scaling, reason: event.reason } };
      return resize(scaled, event.desired, event.at);
    }
    case "Scaling.Held":
    case "Scaling.Spawning":
    case "Scaling.Draining":
    case "Scaling.DrainCompleted":
      return { ...view, scaling: projectScaling(view.scaling, event) };
    default:
      return projectNodes(view, event);
  }
}

type LifeEvent = Extract<PoolEvent, { type: `Pool.${string}` | "Error.Occurred" }>;

function projectLife(view: PoolView, event: LifeEvent): PoolView {
  switch (event.type) {
    case "Pool.Ready":
      return { ...view, phase: "ready", readyAt: view.readyAt ?? event.at, problem: undefined };
    case "Pool.PhaseChanged": {
      const ended = { phase: event.previous, elapsedMs: event.elapsedMs };
      return { ...view, phase: event.phase, phases: [...view.phases, ended].slice(-MAX_PHASES) };
    }
    case "Pool.ProvisionFailed":
      return { ...view, phase: "failed", problem: event.reason };
    case "Pool.NoOffers":
      return { ...view, problem: "no offer matches" };
    case "Pool.Reconciled":
      return { ...view, scaling: { ...view.scaling, reason: event.reason } };
    case "Pool.Stopping":
      return { ...view, phase: "stopping", stoppingAt: event.at };
    case "Pool.Stopped":
      return { ...view, phase: view.phase === "failed" ? "failed" : "stopped", stoppedAt: event.at };
    case "Error.Occurred":
      return { ...view, problem: event.message };
    default:
      return view;
  }
}

type ScalingEvent = Exclude<Extract<PoolEvent, { type: `Scaling.${string}` }>, { type: "Scaling.DesiredChanged" }>;

function projectScaling(view: ScalingView, event: ScalingEvent): ScalingView {
  switch (event.type) {
    case "Scaling.Held":
      return { ...view, desired: event.desired, reason: event.reason };
    case "Scaling.Spawning":
      return view;
    case "Scaling.Draining":
      return { ...view, draining: [...new Set([...view.draining, ...event.nodes])], reason: event.reason };
    case "Scaling.DrainCompleted":
      return { ...view, draining: view.draining.filter((node) => node !== event.node) };
  }
}

function projectNodes(view: PoolView, event: NodeEvent | MetricSampled): PoolView {
  if (!Number.isInteger(event.node) || event.node < 0 || event.node > MAX_RANK) return view;
  const grown = event.node < view.nodes.length ? view : withNodes(view, event.node + 1, event.at);
  const before = grown.nodes[event.node] ?? emptyNode(event.node, event.at);
  const after = projectNode(before, event);
  if (after === before) return grown;
  const nodes = grown.nodes.with(event.node, after);
  if (after.status === before.status && after.slots === before.slots) return { ...grown, nodes };
  const counts = { ...grown.counts };
  counts[before.status]--;
  counts[after.status]++;
  const slots = grown.slots - readySlots(before) + readySlots(after);
  const next = { ...grown, nodes, counts, slots };
  return { ...next, phase: phaseOf(next) };
}

/** An open pool is ready while a node is; before that, and when none is left, it stands where its last node stands. */
function phaseOf(view: PoolView): PoolPhase {
  const { phase, counts } = view;
  if (phase === "stopping" || phase === "stopped" || phase === "failed") return phase;
  if (counts.ready > 0 && view.readyAt !== undefined) return "ready";
  if (counts.waiting + counts.provisioning + counts.lost > 0) return "provisioning";
  if (counts.connecting + counts.disconnected > 0) return "connecting";
  if (counts.bootstrapping > 0) return "bootstrapping";
  if (counts.starting > 0) return "starting";
  return counts.ready > 0 ? "ready" : "provisioning";
}

function resize(view: PoolView, total: number, at: number): PoolView {
  const sized = { ...view, totalNodes: total, scaling: { ...view.scaling, desired: total } };
  return total > view.nodes.length ? withNodes(sized, Math.min(total, MAX_RANK), at) : sized;
}

function withNodes(view: PoolView, length: number, at: number): PoolView {
  const added = Array.from({ length: length - view.nodes.length }, (_, i) => emptyNode(view.nodes.length + i, at));
  return {
    ...view,
    nodes: [...view.nodes, ...added],
    totalNodes: Math.max(view.totalNodes, length),
    counts: { ...view.counts, waiting: view.counts.waiting + added.length },
  };
}

function readySlots(node: NodeView): number {
  return node.status === "ready" ? node.slots : 0;
}
