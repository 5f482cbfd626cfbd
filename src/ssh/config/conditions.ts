import { spawnSync } from "node:child_process";
import type { Block } from "./directives.ts";
import { matchesOne } from "./glob.ts";

/** What is known of a host while its settings are looked up. */
export interface Known {
  /** As it was asked for. */
  readonly alias: string;
  readonly hostName: string;
  readonly user: string;
  readonly localUser: string;
  /** Whether all has been read once before. */
  readonly final: boolean;
  /** Fills in `%h` and the like. */
  expand(text: string): string;
}

/** Whether what stands in a block holds. Conditions that we don't know never do. */
export function holds({ type, words }: Block, known: Known): boolean {
  if (type === "host") return matchesOne(words, known.alias);
  const rest = words.flatMap((word) => /^(!?\w+)=(.+)$/.exec(word)?.slice(1) ?? word);
  while (rest.length > 0) {
    const given = rest.shift()!;
    const negated = given.startsWith("!");
    const name = (negated ? given.slice(1) : given).toLowerCase();
    const bare = name === "all" || name === "final" || name === "canonical";
    const value = bare ? "" : rest.shift();
    const met = value === undefined ? undefined : isMet(name, value, known);
    if (met === undefined || met === negated) return false;
  }
  return true;
}

/** Whether a configuration has to be read twice. */
export function isFinal({ type, words }: Block): boolean {
  return type === "match" && words.some((word) => /^!?(?:final|canonical)$/i.test(word));
}

function isMet(name: string, value: string, known: Known): boolean | undefined {
  const patterns = value.split(",");
  switch (name) {
    case "all":
      return true;
    case "final":
    case "canonical":
      return known.final;
    case "host":
      return matchesOne(patterns, known.hostName);
    case "originalhost":
      return matchesOne(patterns, known.alias);
    case "user":
      return matchesOne(patterns, known.user);
    case "localuser":
      return matchesOne(patterns, known.localUser);
    case "exec":
      return spawnSync("sh", ["-c", known.expand(value)], { stdio: "ignore" }).status === 0;
    default:
      return undefined;
  }
}
