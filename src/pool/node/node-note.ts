import type { MetricsLine, NodeLine } from "../../agent/control.ts";
import type { NodeNews } from "./node-news.ts";
import type { NoteRecord } from "../../wire/records.ts";

/** A NOTE that is for the node, not for its link. */
export type NodeNote = Exclude<NoteRecord, { readonly type: "code" | "npm" }>;

export interface NoteListeners {
  readonly emit: (event: NodeNews) => void;
  readonly onProgress: (task: number, done: number, of: number | null) => void;
}

/** Tells people of what a host noted. */
export function tellNote(node: number, note: Exclude<NodeNote, { type: "killing" }>, tell: NoteListeners): void {
  if (note.type === "progress") tell.onProgress(note.id, note.done, note.of);
  else if (note.type === "installing") tell.emit({ type: "Node.Installing", node, package: note.package });
  else {
    const { package: name, elapsedMs } = note;
    tell.emit({ type: "Node.Installed", node, package: name, elapsedMs });
  }
}

/** Tells people of a line that belongs to a node and to no task. */
export function tellLine(
  node: number,
  { line: message, level, stream = "stderr" }: NodeLine,
  tell: NoteListeners,
): void {
  tell.emit({ type: "Log.Emitted", node, stream, level: level === "warn" ? "warning" : level, message });
}

export function tellMetrics(node: number, samples: MetricsLine["samples"], tell: NoteListeners): void {
  for (const [name, value] of samples) tell.emit({ type: "Metric.Sampled", node, name, value });
}
