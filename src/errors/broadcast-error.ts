import { SkyError } from "./sky-error.ts";

/** What one node answered to a broadcast. */
export type BroadcastResult =
  | { readonly node: number; readonly status: "fulfilled"; readonly value: unknown }
  | { readonly node: number; readonly status: "rejected"; readonly error: unknown };

/** Some nodes of a broadcast failed. `results` has every node's answer, by rank; `errors` the failures alone. */
export class BroadcastError extends SkyError {
  readonly results: readonly BroadcastResult[];

  constructor(results: readonly BroadcastResult[]) {
    const failed = results.filter((result) => result.status === "rejected");
    const first = failed[0];
    const why = first && first.error instanceof Error ? `: ${first.error.message}` : "";
    super(
      "SKY_BROADCAST_FAILED",
      `${failed.length} of ${results.length} nodes failed, node ${first?.node ?? "?"} first${why}`,
      {
        cause: first?.error,
        details: { nodes: failed.map((result) => result.node) },
      },
    );
    this.name = "BroadcastError";
    this.results = results;
  }

  get errors(): readonly unknown[] {
    return this.results.flatMap((result) => (result.status === "rejected" ? [result.error] : []));
  }
}
