import type { ErrorCode } from "../errors/codes.ts";
import { SkyError } from "../errors/sky-error.ts";

/** A stand-in for a part of the surface that makes no sense on a node: it can be imported, and says so when called. */
export function notOnNode(name: string, code: ErrorCode = "SKY_NOT_ON_NODE"): (...args: readonly unknown[]) => never {
  const stand = (): never => {
    throw new SkyError(code, `sky.${name} was called inside a function that runs on a node.`);
  };
  return Object.defineProperty(stand, "name", { value: name, configurable: true });
}
