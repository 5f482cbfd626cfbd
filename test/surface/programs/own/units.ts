import { scale } from "./scale.ts";

/** Counts how often it was called in this process. */
let calls = 0;

export function toMetres(feet: number): number {
  calls++;
  return scale(feet, 0.3048);
}

export function timesCalled(): number {
  return calls;
}
