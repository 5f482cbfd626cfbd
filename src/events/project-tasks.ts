import type { TaskEvent, TasksProgress } from "./task-events.ts";
import { addSample } from "./histogram.ts";
import type { TaskEntry, TasksView } from "./views.ts";

const MAX_INFLIGHT = 256;
const MAX_FUNCTIONS = 128;
const SAMPLE_EVERY_MS = 250;
const RATE_WINDOW_MS = 5000;

export function projectTasks(view: TasksView, event: TaskEvent): TasksView {
  switch (event.type) {
    case "Tasks.Progress":
      return projectCounts(view, event);
    case "Task.Assigned": {
      const { task, name, node, attempt, at } = event;
      const entry: TaskEntry = { task, name, node, attempt, startedAt: at, done: undefined, of: undefined };
      const others = without(view.inflight, task);
      return others.length >= MAX_INFLIGHT ? view : { ...view, inflight: [...others, entry] };
    }
    case "Task.Progress":
      return {
        ...view,
        inflight: view.inflight.map((entry) =>
          entry.task === event.task ? { ...entry, done: event.done, of: event.of } : entry,
        ),
      };
    case "Task.Completed":
      return {
        ...view,
        inflight: without(view.inflight, event.task),
        latency: addSample(view.latency, event.elapsedMs),
        functions: countFunction(view.functions, event.name, event.elapsedMs, false),
      };
    case "Task.Failed":
      return {
        ...view,
        inflight: without(view.inflight, event.task),
        functions: countFunction(view.functions, event.name, event.elapsedMs, true),
      };
    case "Task.Cancelled":
      return { ...view, inflight: without(view.inflight, event.task) };
    case "Task.Retried":
      return { ...view, inflight: without(view.inflight, event.task), retried: view.retried + 1 };
    case "Tasks.Cached":
      return { ...view, cached: view.cached + event.count };
    case "Task.Queued":
    case "Task.Cached":
    case "Task.Inspectable":
    case "Task.BroadcastPartial":
      return view;
  }
}

/** Finished tasks per second over the last seconds; 0 when too little is known. */
export function rateOf(view: TasksView, now: number): number {
  const finished = finishedOf(view);
  const oldest = view.samples.find((sample) => sample.at >= now - RATE_WINDOW_MS) ?? view.samples.at(-1);
  if (oldest === undefined || now - oldest.at < SAMPLE_EVERY_MS) return 0;
  return ((finished - oldest.finished) * 1000) / (now - oldest.at);
}

/** Tasks that have their outcome, whichever it is. */
export function finishedOf(view: Pick<TasksView, "done" | "failed" | "cancelled">): number {
  return view.done + view.failed + view.cancelled;
}

function projectCounts(view: TasksView, event: TasksProgress): TasksView {
  const { queued, running, done, failed, cancelled, at } = event;
  const finished = finishedOf(event);
  const moved =
    queued !== view.queued || running !== view.running || finished !== finishedOf(view) || failed !== view.failed;
  const last = view.samples.at(-1);
  const samples =
    last === undefined || at - last.at >= SAMPLE_EVERY_MS
      ? [...view.samples.filter((sample) => at - sample.at <= RATE_WINDOW_MS), { at, finished }].slice(-20)
      : view.samples;
  return {
    ...view,
    queued,
    running,
    done,
    failed,
    cancelled,
    perNode: event.perNode ?? view.perNode,
    runningPerNode: event.runningPerNode ?? view.runningPerNode,
    firstAt: view.firstAt ?? (queued + running + finished > 0 ? at : undefined),
    lastAt: moved ? at : view.lastAt,
    reason: event.reason,
    stalledSince: queued > 0 && running === 0 ? (view.stalledSince ?? at) : undefined,
    samples,
  };
}

function without(entries: readonly TaskEntry[], task: string): readonly TaskEntry[] {
  const index = entries.findIndex((entry) => entry.task === task);
  return index < 0 ? entries : entries.toSpliced(index, 1);
}

function countFunction(
  functions: TasksView["functions"],
  name: string,
  ms: number,
  failed: boolean,
): TasksView["functions"] {
  const known = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (known === undefined && Object.keys(functions).length >= MAX_FUNCTIONS) return functions;
  const stats = known ?? { done: 0, failed: 0, totalMs: 0 };
  const next = {
    done: stats.done + (failed ? 0 : 1),
    failed: stats.failed + (failed ? 1 : 0),
    totalMs: stats.totalMs + ms,
  };
  return { ...functions, [name]: next };
}
