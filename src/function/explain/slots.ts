import { Graph } from "../capture/graph.ts";
import { Path } from "../capture/refuse.ts";
import type { Slot } from "../capture/slot.ts";

type AnyFunction = (...args: never) => unknown;

/**
 * All that a function reaches, found out once more, by itself: what capture keeps for the next call is made for speed, and
 * forgets the ways to things.
 */
export function slotsOf(body: AnyFunction, name: string): readonly Slot[] {
  const graph = new Graph(name);
  graph.take(body, new Path([name], undefined));
  return graph.slots;
}
