import { setTimeout as delay } from "node:timers/promises";
import { killTree } from "../process-tree.ts";

/** Processes that end about the same time are looked for in one round: reading all environments takes milliseconds. */
const TOGETHER_MS = 10;

let marks = new Set<string>();
let round: Promise<void> | undefined;

/** Ends what carries this mark of a process or a task, wherever it went. */
export function endStrays(mark: string): Promise<void> {
  marks.add(mark);
  round ??= delay(TOGETHER_MS, undefined, { ref: false }).then(() => {
    const wanted = marks;
    marks = new Set();
    round = undefined;
    return killTree({ marks: wanted });
  });
  return round;
}
