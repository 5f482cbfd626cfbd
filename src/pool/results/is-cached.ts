import { CarryingCode } from "../../function/capture/carrying-code.ts";
import type { Segment } from "../dispatch/segment.ts";

/** What runs on a certain node runs for that node's own answer; and carried functions have no name from home. */
export function isCached({ bind, target }: Segment): boolean {
  return bind.options.cache !== undefined && target < 0 && !(bind.code instanceof CarryingCode);
}
