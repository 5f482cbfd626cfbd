import type { Intent, ProviderReference } from "./cloud-provider.ts";

/** What has to be on record of every machine that is created. Each promise resolves when the record is durable. */
export interface Book {
  /** Who creates: part of every machine's tags. */
  readonly owner: string;
  readonly controller: string;
  /** Before the machine is asked for. */
  intended(intent: Intent, provider: ProviderReference): Promise<void>;
  /** The provider has made it. */
  created(name: string, id: string): Promise<void>;
  /** It waits for a later run, and ends by itself at that time, in ms since the epoch. */
  kept(name: string, untilMs: number): Promise<void>;
  /** This run goes on with a machine that an earlier one has kept. */
  adopted(machine: Pick<Intent, "name" | "tags" | "ttlS">, id: string, provider: ProviderReference): Promise<void>;
  /** The provider says that it is gone, or that it never was. */
  gone(name: string): Promise<void>;
}
