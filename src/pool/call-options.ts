import { didYouMean } from "../errors/nearest.ts";
import { SkyError } from "../errors/sky-error.ts";

/** Where a task must run: the head node, or the node of a rank. */
export type Target = "head" | number;

export interface CallOptions {
  /** @default any node, the least loaded first */
  readonly target?: Target | undefined;
  /** Cancels the call's tasks when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

export interface BroadcastOptions {
  /** `"ready"`: only the nodes that are ready now. @default every node, those too that join before it ends */
  readonly only?: "ready" | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** @throws SkyError SKY_BAD_OPTION naming what is unknown, and the nearest right name */
export function checkOptions(method: string, given: object | undefined, names: readonly string[]): void {
  if (given === undefined) return;
  if (typeof given !== "object" || given === null)
    throw new SkyError(
      "SKY_BAD_OPTION",
      `the options of ${method} must be an object; got ${given === null ? "null" : typeof given}`,
    );
  for (const name of Object.keys(given)) {
    if (!names.includes(name))
      throw new SkyError(
        "SKY_BAD_OPTION",
        `${method} has no option "${name}"${didYouMean(name, names) || `; there are ${names.join(", ")}.`}`,
      );
  }
  const { signal, only } = given as BroadcastOptions;
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new SkyError("SKY_BAD_OPTION", `the signal of ${method} must be an AbortSignal`);
  if (only !== undefined && only !== "ready")
    throw new SkyError("SKY_BAD_OPTION", `only must be "ready"; got ${JSON.stringify(only)}`);
}

/** The rank that a target means; -1 for any. @throws SkyError SKY_BAD_TARGET */
export function targetRank(target: Target | undefined, nodes: number): number {
  if (target === undefined) return -1;
  if (target === "head") return 0;
  if (typeof target === "number" && Number.isInteger(target) && target >= 0 && target < nodes) return target;
  const there = nodes === 1 ? "the pool has one node, 0" : `the pool has nodes 0 to ${nodes - 1}`;
  throw new SkyError("SKY_BAD_TARGET", `no node has the target ${JSON.stringify(target) ?? String(target)}; ${there}`);
}
