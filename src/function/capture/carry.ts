import { isFn } from "../brand.ts";
import { nameOf } from "../name.ts";
import { CarryingCode } from "./carrying-code.ts";
import type { Code } from "./code.ts";
import { codeIn } from "./code-in.ts";
import { knownIndex } from "./known-code.ts";
import { Plan } from "./plan.ts";

type AnyFunction = (...args: never) => unknown;

const plans = new WeakMap<AnyFunction, Map<string, Plan>>();
const carrying = new Map<string, CarryingCode>();

/**
 * The code that a call with these arguments needs: the same, or one that carries the functions and classes in the
 * arguments as well. Call it with each call's arguments before they are encoded; what can't travel of them is refused
 * when it is encoded.
 */
export function carry(code: Code, values: unknown): Code {
  const known = knownIndex(code);
  const found = codeIn(values, (value) => known.has(value));
  if (found.size === 0) return code;
  const taken = new Map<AnyFunction, Plan>();
  const refused = new Map<AnyFunction, unknown>();
  for (const [value, kind] of found) {
    try {
      taken.set(value, planOf(value, code));
    } catch (error) {
      // Of an instance the encoder says best what it is.
      if (kind === "function") refused.set(value, error);
    }
  }
  if (taken.size === 0 && refused.size === 0) return code;
  const codes = [...new Set([...taken.values()].map((plan) => plan.first.code))].sort((a, b) => a.number - b.number);
  const key = [code, ...codes].map((item) => item.number).join(" ");
  let made = carrying.get(key);
  if (made === undefined) carrying.set(key, (made = new CarryingCode(code, codes)));
  made.add(taken, refused);
  return made;
}

function planOf(value: AnyFunction, origin: Code): Plan {
  const key = [...origin.homes].join("\0");
  let byHomes = plans.get(value);
  if (byHomes === undefined) plans.set(value, (byHomes = new Map()));
  let plan = byHomes.get(key);
  if (plan?.capture() === undefined) {
    plan = new Plan(value, isFn(value) ? value.name : nameOf(value), [], origin);
    byHomes.set(key, plan);
  }
  return plan;
}
