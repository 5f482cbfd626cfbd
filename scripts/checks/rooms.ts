/**
 * A room is a top folder of src. A room may import those of earlier steps of the line, and those that stand before it in
 * its own list; a bar parts lists that do not know each other.
 */
export interface House {
  readonly rooms: ReadonlyMap<string, Place>;
}

interface Place {
  readonly step: number;
  readonly list: number;
  readonly at: number;
}

const LINE = /`(errors <- [^`]+)`/;

/** Reads the house from the line `errors <- values <- ... <- console, cli` of the architecture document. */
export function readHouse(document: string): House {
  const line = LINE.exec(document)?.[1];
  if (line === undefined) throw new Error("docs/architecture.md has no line `errors <- values <- ...`");
  const rooms = new Map<string, Place>();
  for (const [step, text] of line.split("<-").entries()) {
    for (const [list, names] of text.split("|").entries()) {
      for (const [at, name] of names.split(",").entries()) rooms.set(name.trim(), { step, list, at });
    }
  }
  return { rooms };
}

/** The agent's and the task's rooms stand beside the line and know only these. */
const BESIDE: ReadonlyMap<string, readonly RegExp[]> = new Map(
  ["agent", "task"].map((room) => [
    room,
    [
      /^(errors|values|wire|events|collections)\//,
      /^image\/operations/,
      /^plugins\/[^/]+\/node/,
      room === "agent" ? /^task\// : /^never$/,
    ],
  ]),
);

/** What rooms of the line may know of the agent: the files at its top. What runs on a node lies in its folders. */
const AGENT_CONTRACT = /^agent\/(?!main\.ts)[^/]+$/;

/** Rooms that decide and describe, but touch nothing outside: no `node:` module but `node:buffer`. */
const PURE = /^(pool\/core|events|values)\//;

export interface Edge {
  /** Paths below src, such as `pool/core/scheduler.ts`. */
  readonly from: string;
  readonly to: string;
}

/** Why this import is not allowed, or undefined. */
export function edgeFault({ from, to }: Edge, house: House): string | undefined {
  const [source, target] = [roomOf(from), roomOf(to)];
  if (source === target || source === undefined) return undefined;
  if (target === undefined) return `${to} is the front door: rooms don't import it`;
  const beside = BESIDE.get(source);
  if (beside !== undefined) {
    return beside.some((allowed) => allowed.test(to)) ? undefined : `${source} may not know ${to}`;
  }
  if (AGENT_CONTRACT.test(to)) return undefined;
  if (BESIDE.has(target)) return `${source} may know of the agent only the files at its top, not ${to}`;
  if (source === "pool" && target === "providers" && !/^providers\/[^/]+$/.test(to)) {
    return "pool may know of providers only the files at their top";
  }
  const [own, other] = [house.rooms.get(source), house.rooms.get(target)];
  if (own === undefined) return `the room ${source} is not in the line`;
  if (other === undefined) return `the room ${target} is not in the line`;
  const before = other.step < own.step || (other.step === own.step && other.list === own.list && other.at < own.at);
  return before ? undefined : `${source} may not know ${target}: the arrows point the other way`;
}

/** Why this module of Node is not allowed here, or undefined. */
export function moduleFault(from: string, specifier: string): string | undefined {
  if (!PURE.test(from) || !specifier.startsWith("node:") || specifier === "node:buffer") return undefined;
  return `this room is pure: ${specifier} is not allowed`;
}

function roomOf(file: string): string | undefined {
  return file.includes("/") ? file.slice(0, file.indexOf("/")) : undefined;
}
