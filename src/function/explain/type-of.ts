import { types } from "node:util";
import { className } from "../../values/describe.ts";

/** What kind of value it is, in words, with its extent where it has one. */
export function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "string") return `text of ${value.length}`;
  if (typeof value !== "object") return typeof value;
  if (Array.isArray(value)) return `array of ${value.length}`;
  if (types.isProxy(value)) return "Proxy";
  const name = className(value);
  if (types.isTypedArray(value)) return `${name} of ${value.length}`;
  if (types.isMap(value) || types.isSet(value)) return `${name} of ${value.size}`;
  return name === "" || name === "Object" ? `object of ${Object.keys(value).length}` : name;
}
