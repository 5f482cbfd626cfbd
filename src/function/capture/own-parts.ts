import { types } from "node:util";
import { isNode, type Node } from "./parser.ts";
import { type Path, refuse } from "./refuse.ts";

type AnyFunction = (...args: never) => unknown;

/** What a function has that its source does not say. */
export type OwnPart =
  | { readonly kind: "data"; readonly part: "own" | "prototype"; readonly read: () => Record<string, unknown> }
  | { readonly kind: "inherit"; readonly parent: AnyFunction };

const BUILT_IN = new Set(["length", "name", "prototype", "arguments", "caller"]);

/**
 * Properties that the program put on a function or class after it was made, on its prototype, and the prototype that
 * `util.inherits` gave it.
 * @throws SkyError SKY_CAPTURE_UNSUPPORTED for accessors and symbols among them
 */
export function ownParts(value: AnyFunction, text: string, node: Node, path: Path): OwnPart[] {
  const isClass = node.type.startsWith("Class");
  const parts: OwnPart[] = [];
  const declared = isClass ? declaredIn(node) : undefined;
  const own = extras(value, text, declared?.own ?? BUILT_IN, path);
  if (own.length > 0) parts.push(data("own", value, text, declared?.own ?? BUILT_IN, path));
  const prototype: unknown = value.prototype;
  if (typeof prototype !== "object" || prototype === null || types.isProxy(prototype)) return parts;
  const known = declared?.prototype ?? new Set(["constructor"]);
  if (extras(prototype, text, known, path.to("prototype")).length > 0)
    parts.push(data("prototype", prototype, text, known, path.to("prototype")));
  const parent = isClass ? undefined : inheritedFrom(prototype);
  if (parent !== undefined) parts.push({ kind: "inherit", parent });
  return parts;
}

function data(
  part: "own" | "prototype",
  holder: object,
  text: string,
  known: ReadonlySet<string>,
  path: Path,
): OwnPart {
  return {
    kind: "data",
    part,
    read: () => Object.fromEntries(extras(holder, text, known, path).map((key) => [key, holder[key as keyof object]])),
  };
}

/** Own properties beyond those that the source declares. */
function extras(holder: object, text: string, known: ReadonlySet<string>, path: Path): string[] {
  const found: string[] = [];
  for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(holder))) {
    const value: unknown = descriptor.value;
    const isDeclared = typeof value === "function" && text.includes(Function.prototype.toString.call(value));
    if (known === BUILT_IN ? BUILT_IN.has(key) : isDeclared || (known.has(key) && typeof value !== "function"))
      continue;
    if (BUILT_IN.has(key) || key === "constructor") continue;
    if (descriptor.get !== undefined || descriptor.set !== undefined) {
      if (known.has(key)) continue;
      const why = "is a getter or setter that was put on it, which does not travel";
      throw refuse("SKY_CAPTURE_UNSUPPORTED", path.to(key), "", why, "Make it a plain property, or a function.");
    }
    found.push(key);
  }
  return found;
}

function inheritedFrom(prototype: object): AnyFunction | undefined {
  const above = Object.getPrototypeOf(prototype) as { readonly constructor?: unknown } | null;
  if (above === null || above === Object.prototype || typeof above.constructor !== "function") return undefined;
  return above.constructor.prototype === above ? (above.constructor as AnyFunction) : undefined;
}

/** The names that a class declares for itself and for its instances. */
function declaredIn(node: Node): { readonly own: ReadonlySet<string>; readonly prototype: ReadonlySet<string> } {
  const own = new Set(BUILT_IN);
  const prototype = new Set(["constructor"]);
  for (const member of ((node["body"] as Node)["body"] ?? []) as readonly Node[]) {
    const key = member["key"] as Node | undefined;
    const name = member["computed"] === true ? key?.["value"] : (key?.["name"] ?? key?.["value"]);
    // A static field without a value says nothing of what is in it.
    const isEmpty = member.type === "PropertyDefinition" && !isNode(member["value"]);
    if (typeof name === "string" && !isEmpty) (member["static"] === true ? own : prototype).add(name);
    if (member.type === "StaticBlock") for (const assigned of assignedInBlock(member)) own.add(assigned);
  }
  return { own, prototype };
}

/** `static { this.a = 1 }`: what compilers make of static fields. */
function assignedInBlock(block: Node): string[] {
  return (block["body"] as readonly Node[]).flatMap((statement) => {
    const expression = statement["expression"] as Node | undefined;
    const call = expression?.type === "CallExpression" ? (expression["arguments"] as readonly Node[]) : [];
    if (call[0]?.type === "ThisExpression" && typeof call[1]?.["value"] === "string") return [call[1]["value"]];
    const left = expression?.type === "AssignmentExpression" ? (expression["left"] as Node) : undefined;
    const name = left?.type === "MemberExpression" ? (left["property"] as Node)["name"] : undefined;
    return typeof name === "string" ? [name] : [];
  });
}
