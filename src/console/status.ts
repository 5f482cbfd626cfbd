import { finishedOf, rateOf } from "../events/project-tasks.ts";
import type { PoolView } from "../events/views.ts";
import { whyWaiting } from "../events/why-waiting.ts";
import { age, count, duration, plural, rate } from "./format.ts";

/**
 * One line on where a pool stands: `nodes 3/4 · slots 6/8 · 120 done, 8 running, 40 queued · 32.5/s · 1.5 s left`,
 * and why nothing happens when tasks wait and none runs.
 */
export function statusText(view: PoolView, now: number): string {
  const { tasks } = view;
  const parts = view.phase === "stopping" ? [closing(view, now)] : [`nodes ${view.counts.ready}/${view.totalNodes}`];
  if (view.slots > 0 && view.phase !== "stopping") parts.push(`slots ${running(view)}/${view.slots}`);
  const finished = finishedOf(tasks);
  if (finished + tasks.queued + tasks.running > 0) parts.push(taskText(view));
  const perSecond = rateOf(tasks, now);
  const left = tasks.queued + tasks.running;
  if (perSecond > 0 && left > 0) parts.push(rate(perSecond), `${duration((left / perSecond) * 1000)} left`);
  const reason = whyWaiting(view, now);
  if (reason !== undefined) parts.push(reason);
  else if (view.phase === "ready" && left === 0) parts.push(idle(view, now));
  else if (finished + left === 0 && view.phase !== "ready" && view.phase !== "stopping")
    parts.push(`${view.phase} ${duration(now - view.startedAt)}`);
  return parts.join(" · ");
}

function closing({ counts, stoppingAt, totalNodes }: PoolView, now: number): string {
  const gone = counts.gone > 0 ? `, ${counts.gone} of ${plural(totalNodes, "node")} gone` : "";
  return `closing ${age(now - (stoppingAt ?? now))}${gone}`;
}

/** A pool that nobody gives work says so: nothing is wrong with it. */
function idle({ tasks, readyAt }: PoolView, now: number): string {
  if (finishedOf(tasks) === 0) return `no tasks yet, ready for ${age(now - (readyAt ?? now))}`;
  return `idle ${age(now - (tasks.lastAt ?? now))}`;
}

/** Those that a node has ahead of a free slot still wait. */
function running({ tasks, slots }: PoolView): number {
  return slots > 0 ? Math.min(tasks.running, slots) : tasks.running;
}

function taskText(view: PoolView): string {
  const { tasks } = view;
  const parts = [`${count(tasks.done)} done`];
  if (tasks.failed > 0) parts.push(`${count(tasks.failed)} failed`);
  if (tasks.cancelled > 0) parts.push(`${count(tasks.cancelled)} cancelled`);
  const taken = running(view);
  if (view.phase !== "stopping")
    parts.push(`${count(taken)} running`, `${count(tasks.queued + tasks.running - taken)} queued`);
  return parts.join(", ");
}

/** The last line of a pool: `400 tasks (2 failed) in 12.3 s, 32.5/s; pool open 14.0 s, 4 nodes`. */
export function summaryText(view: PoolView, elapsedMs: number): string {
  const { tasks } = view;
  const finished = finishedOf(tasks);
  const used = view.nodes.filter((node) => node.machine !== undefined).length;
  const open = `pool open ${duration(elapsedMs)}, ${plural(used, "node")}`;
  if (finished === 0) return `no tasks ran; ${open}`;
  const bad = [
    tasks.failed > 0 ? `${count(tasks.failed)} failed` : "",
    tasks.cancelled > 0 ? `${count(tasks.cancelled)} cancelled` : "",
    tasks.retried > 0 ? `${count(tasks.retried)} re-run` : "",
  ].filter((part) => part !== "");
  const ms = (tasks.lastAt ?? 0) - (tasks.firstAt ?? 0);
  const speed = ms > 0 ? ` in ${duration(ms)}, ${rate((finished * 1000) / ms)}` : "";
  const outcome = bad.length > 0 ? ` (${bad.join(", ")})` : "";
  return `${plural(finished, "task")}${outcome}${speed}; ${open}`;
}
