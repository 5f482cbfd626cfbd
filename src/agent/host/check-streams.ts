import { SkyError } from "../../errors/sky-error.ts";

/** The one task of a record whose arguments stream: count u8, positions, encoded list. */
export function checkStreams(tasks: number, body: Buffer, start: number, end: number): void {
  if (tasks !== 1 || end - start < 2 || end - start < 2 + body[start]!)
    throw new SkyError("SKY_WIRE_MALFORMED", "a TASKS record whose streams can't be");
}
