/** A room is a top folder of src. Rooms of one level do not know each other; a room may import those of lower levels. */
export interface House {
  readonly levels: ReadonlyMap<string, number>;
}

const LINE = /`(errors <- [^`]+)`/;

/** Reads the house from the line `errors <- values <- ... <- console, cli` of the architecture document. */
export function readHouse(document: string): House {
  const line = LINE.exec(document)?.[1];
  if (line === undefined) throw new Error("docs/architecture.md has no line `errors <- values <- ...`");
  const levels = new Map<string, number>();
  line.split("<-").forEach((level, index) => {
    for (const room of level.split(/[|,]/)) levels.set(room.trim(), index);
  });
  return { levels };
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
  if (source === "pool" && target === "providers" && to !== "providers/provider.ts") {
    return "pool may know of providers only providers/provider.ts";
  }
  const [own, other] = [house.levels.get(source), house.levels.get(target)];
  if (own === undefined) return `the room ${source} is not in the line`;
  if (other === undefined) return `the room ${target} is not in the line`;
  return other < own ? undefined : `${source} may not know ${target}: the arrows point the other way`;
}

/** Why this module of Node is not allowed here, or undefined. */
export function moduleFault(from: string, specifier: string): string | undefined {
  if (!PURE.test(from) || !specifier.startsWith("node:") || specifier === "node:buffer") return undefined;
  return `this room is pure: ${specifier} is not allowed`;
}

function roomOf(file: string): string | undefined {
  return file.includes("/") ? file.slice(0, file.indexOf("/")) : undefined;
}
