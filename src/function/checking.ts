import type { AnyFn } from "./brand.ts";

// The same in each copy of the package: the program that checks a file and the file may have one each.
const CHECKING: unique symbol = Symbol.for("skyward.checking") as never;

/** What listens while a file is only looked at (`sky check`): which functions it makes, and where it would open a pool. */
export interface Checking {
  made(fn: AnyFn): void;
  /** Never settles: what stands behind the opening of a pool is not run. */
  opens(): Promise<never>;
}

/** Who listens; undefined in every program but a check. */
export function checking(): Checking | undefined {
  return (globalThis as { [CHECKING]?: Checking })[CHECKING];
}

/** Listens from now on, in this process. */
export function startChecking(listener: Checking): void {
  (globalThis as { [CHECKING]?: Checking })[CHECKING] = listener;
}
