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
export function ownParts(value: AnyFunction, text: string, node: Node, source: string, path: Path): OwnPart[] {
  const isClass = node.type.startsWith("Class");
  const parts: OwnPart[] = [];
  const declared = isClass ? declaredIn(node) : undefined;
  const own = extras(value, text, declared?.own ?? BUILT_IN, path);
  if (own.length > 0) parts.push(data("own", value, text, declared?.own ?? BUILT_IN, path));
  const assigned = isClass ? assignedStatics(node, source) : [];
  if (assigned.length > 0) parts.push({ kind: "data", part: "own", read: () => primitives(value, assigned) });
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

/** Static fields that begin as a literal and that the module assigns elsewhere: their text doesn't say what they hold. */
function assignedStatics(node: Node, source: string): string[] {
  return staticFields(node).flatMap(({ name, init }) => {
    const operator = "(?:=(?![=>])|\\+\\+|--|[-+*/%&|^?]{1,3}=)";
    const isAssigned = new RegExp(`\\.${name}\\s*${operator}|(?:\\+\\+|--)[\\w.$]*\\.${name}\\b`);
    return init.type === "Literal" && isAssigned.test(source) ? [name] : [];
  });
}

function staticFields(node: Node): { readonly name: string; readonly init: Node }[] {
  return (((node["body"] as Node)["body"] ?? []) as readonly Node[]).flatMap((member) => {
    if (member.type === "StaticBlock") return assignmentsIn(member);
    const [key, init] = [member["key"] as Node | undefined, member["value"]];
    const isField = member.type === "PropertyDefinition" && member["static"] === true && member["computed"] !== true;
    return isField && key?.type === "Identifier" && isNode(init) ? [{ name: key["name"] as string, init }] : [];
  });
}

function primitives(value: AnyFunction, names: readonly string[]): Record<string, unknown> {
  const all = names.map((name) => [name, (value as unknown as Record<string, unknown>)[name]] as const);
  return Object.fromEntries(all.filter(([, item]) => !/object|function|symbol/.test(typeof item) || item === null));
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
    if (member.type === "StaticBlock") for (const { name: assigned } of assignmentsIn(member)) own.add(assigned);
  }
  return { own, prototype };
}

/** `static { this.a = 1 }`, `static { __publicField(this, "a", 1) }`: what compilers make of static fields. */
function assignmentsIn(block: Node): { readonly name: string; readonly init: Node }[] {
  return (block["body"] as readonly Node[]).flatMap((statement) => {
    const expression = statement["expression"] as Node | undefined;
    const [self, key, value] =
      expression?.type === "CallExpression" ? (expression["arguments"] as readonly Node[]) : [];
    if (self?.type === "ThisExpression" && typeof key?.["value"] === "string")
      return [{ name: key["value"], init: value ?? self }];
    const left = expression?.type === "AssignmentExpression" ? (expression["left"] as Node) : undefined;
    const name = left?.type === "MemberExpression" ? (left["property"] as Node)["name"] : undefined;
    return typeof name === "string" ? [{ name, init: expression!["right"] as Node }] : [];
  });
}
