import { buildCommand } from "@stricli/core";

export interface LedgerFlags {
  readonly json: boolean;
}

/** `sky ledger` */
export const ledger = buildCommand({
  loader: async () => (await import("./ledger.ts")).ledgerCommand,
  parameters: {
    flags: {
      json: { kind: "boolean", default: false, withNegated: false, brief: "Print one JSON document" },
    },
  },
  docs: {
    brief: "List the machines that were created from here and are not known to be gone",
    fullDescription: `Reads the record that is written before each machine is created, without asking any provider.

Examples:
  sky ledger
  sky ledger --json | jq '.[].name'`,
  },
});
