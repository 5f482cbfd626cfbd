import type { Range } from "../core/ranges.ts";
import type { Scheduler } from "../core/scheduler.ts";
import type { NodePort } from "./node-port.ts";
import type { SegmentTable } from "./segment-table.ts";

/** Sends a node what it was given, a segment at a time. */
export function sendGiven(
  port: NodePort,
  given: Range,
  segments: SegmentTable,
  scheduler: Scheduler,
  now: number,
): void {
  let id = given.first;
  const end = given.first + given.count;
  while (id < end) {
    const segment = segments.find(id);
    if (!segment) {
      // Ended while it was queued, by a cancel that met its range elsewhere.
      scheduler.ended(port.rank, id, 1);
      id++;
      continue;
    }
    const index = id - segment.first;
    const count = Math.min(end - id, segment.count - index);
    segment.sent(index, count, port.rank, given.attempt, now);
    port.tasks(segment, index, count, given.attempt);
    id += count;
  }
}
