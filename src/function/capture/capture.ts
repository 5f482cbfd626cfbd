import { type AnyFn, bodyOf, fnOptionsOf, isFn } from "../brand.ts";
import { moduleExportOf } from "../module-export.ts";
import { nameOf } from "../name.ts";
import { moduleCode } from "./module-code.ts";
import { Plan } from "./plan.ts";
import type { Code } from "./code.ts";

/** A live function, taken as it is at this moment. */
export interface Captured {
  readonly code: Code;
  /**
   * What the function captures by value, to be encoded in the call that dispatches it; undefined when there is nothing.
   * The same object each time where no value can change.
   */
  readonly values: Record<string, unknown> | undefined;
}

type AnyFunction = (...args: never) => unknown;

const plans = new WeakMap<AnyFunction, Plan>();

/**
 * Takes a function, made by `sky.fn` or plain, with what it captures: call it once per dispatching call.
 * Synchronous, so that the call sees its variables as they were when it was made.
 * @throws SkyError SKY_CAPTURE_UNSERIALIZABLE, SKY_CAPTURE_UNSUPPORTED: with the way to the culprit, its file and line
 */
export function captureSync(f: AnyFn | AnyFunction): Captured {
  const known = plans.get(f);
  const again = known?.capture();
  if (again !== undefined) return again;
  const wrapped = isFn(f) ? f : undefined;
  const body = wrapped === undefined ? f : bodyOf(wrapped);
  const include = wrapped === undefined ? [] : (fnOptionsOf(wrapped).include ?? []);
  const where = moduleExportOf(body);
  if (where !== undefined)
    return { code: moduleCode(where, wrapped?.name ?? where.exported, include), values: undefined };
  const plan = new Plan(body, wrapped?.name ?? nameOf(body), include);
  plans.set(f, plan);
  return plan.first;
}
