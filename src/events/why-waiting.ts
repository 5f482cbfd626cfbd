import type { NodeStatus, PoolView } from "./views.ts";

const ON_THE_WAY: readonly NodeStatus[] = ["waiting", "provisioning", "connecting", "bootstrapping", "starting"];

/**
 * Why tasks wait although nothing runs, in words; undefined when nothing waits or something runs.
 * The one place that answers "why is nothing happening".
 */
export function whyWaiting(view: PoolView, now: number): string | undefined {
  const { tasks, counts } = view;
  if (tasks.queued === 0 || tasks.running > 0) return undefined;
  if (view.phase === "failed") return `the pool failed: ${view.problem ?? "no reason was given"}`;
  if (view.phase === "stopping" || view.phase === "stopped") return "the pool is closing";
  if (counts.ready > 0) {
    const waited = seconds(now - (tasks.stalledSince ?? now));
    return tasks.reason ?? `${counts.ready} of ${view.totalNodes} nodes ready, no task was taken for ${waited}`;
  }
  const parts = ON_THE_WAY.filter((status) => counts[status] > 0).map(
    (status) => `${counts[status]} of ${view.totalNodes} ${status === "waiting" ? "to be provisioned" : status}`,
  );
  for (const status of ["disconnected", "draining", "lost"] as const) {
    if (counts[status] > 0) parts.push(`${counts[status]} ${status}`);
  }
  const problem = view.nodes.find((node) => node.problem !== undefined)?.problem ?? view.problem;
  const because = problem === undefined ? "" : ` (${problem})`;
  if (parts.length === 0) return `no node: ${view.scaling.reason ?? "none is wanted"}${because}`;
  const since = Math.min(...view.nodes.filter((node) => node.status !== "gone").map((node) => node.since));
  return `waiting for nodes: ${parts.join(", ")} ${seconds(now - since)}${because}`;
}

function seconds(ms: number): string {
  return `${Math.max(0, Math.round(ms / 1000))} s`;
}
