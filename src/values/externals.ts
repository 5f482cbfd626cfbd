import { takeMemory } from "./spare-memory.ts";

/** Runs of bytes from this length on travel beside their value, in one piece, and become part of it without a copy. */
export const EXTERNAL_MIN_BYTES = 1024 * 1024;

const NONE: Uint8Array[] = [];
let wanted = false;
let kept: Uint8Array[] = NONE;

/** Says that `takeExternals` follows the next encoding: until then `keepExternal` keeps what it is offered. */
export function wantExternals(): void {
  wanted = true;
}

/** The `external` hook: copies the bytes, once. */
export function keepExternal(bytes: Uint8Array): number | undefined {
  if (!wanted || bytes.length < EXTERNAL_MIN_BYTES) return undefined;
  const copy = takeMemory(bytes.length);
  copy.set(bytes);
  if (kept === NONE) kept = [];
  return kept.push(copy) - 1;
}

/** What the encoding that has just ended left, by number; also after one that failed. */
export function takeExternals(): Uint8Array[] {
  const taken = kept;
  kept = NONE;
  wanted = false;
  return taken;
}
