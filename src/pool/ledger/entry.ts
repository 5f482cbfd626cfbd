import type { ProviderReference } from "../../providers/cloud-provider.ts";

/** One line of the ledger. */
export type Entry =
  | {
      readonly v: 1;
      readonly type: "intent";
      /** ms since the epoch. */
      readonly at: number;
      readonly name: string;
      readonly provider: ProviderReference;
      readonly pool: string;
      readonly controller: string;
      readonly owner: string;
      /** 0: no lease. */
      readonly ttlS: number;
      /** No controller has it: it waits for a later run of its pool, and ends by itself at that time, ms since the epoch. */
      readonly keptUntil?: number;
    }
  | { readonly v: 1; readonly type: "created"; readonly at: number; readonly name: string; readonly id: string }
  | { readonly v: 1; readonly type: "gone"; readonly at: number; readonly name: string };

/** A machine that was asked for and is not known to be gone. */
export interface OpenEntry extends Omit<Extract<Entry, { type: "intent" }>, "type" | "v"> {
  /** The provider's, once it said so. */
  readonly id?: string;
}

/** What is open after these lines. A line that a crash cut short is none. */
export function openEntries(text: string): OpenEntry[] {
  const open = new Map<string, OpenEntry>();
  for (const line of text.split("\n")) {
    const entry = parse(line);
    if (entry?.type === "intent") {
      const { type: _, v: __, ...rest } = entry;
      open.set(entry.name, rest);
    } else if (entry?.type === "created") {
      const known = open.get(entry.name);
      if (known) open.set(entry.name, { ...known, id: entry.id });
    } else if (entry?.type === "gone") open.delete(entry.name);
  }
  return [...open.values()];
}

function parse(line: string): Entry | undefined {
  try {
    const entry = JSON.parse(line) as Entry | null;
    if (entry?.v !== 1 || typeof entry.name !== "string" || typeof entry.at !== "number") return undefined;
    return entry.type !== "intent" || isWhole(entry) ? entry : undefined;
  } catch {
    return undefined;
  }
}

/** Whether there is in it what others rely on. */
function isWhole({ provider, pool, controller, owner }: Partial<Extract<Entry, { type: "intent" }>>): boolean {
  const texts = [provider?.name, pool, controller, owner];
  return texts.every((one) => typeof one === "string") && typeof provider?.options === "object";
}
