import type { Segment } from "./segment.ts";

/** Above this items are pulled one at a time. */
const HELD_MAX_BYTES = 256 * 1024 * 1024;

/** Whether the large values of tasks that have not ended take so much memory that no more should be taken. */
export function holdsMuch(segments: Iterable<Segment>): boolean {
  let held = 0;
  for (const segment of segments) held += segment.heldBytes;
  return held > HELD_MAX_BYTES;
}
