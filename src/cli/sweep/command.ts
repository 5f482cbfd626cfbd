import { buildCommand } from "@stricli/core";

export interface SweepFlags {
  readonly yes: boolean;
  readonly json: boolean;
  readonly name?: readonly string[];
  readonly container?: string;
}

/** `sky sweep` */
export const sweep = buildCommand({
  loader: async () => (await import("./sweep.ts")).sweepCommand,
  parameters: {
    flags: {
      yes: { kind: "boolean", default: false, withNegated: false, brief: "Remove what the sweep finds" },
      json: { kind: "boolean", default: false, withNegated: false, brief: "Print one JSON document" },
      name: {
        kind: "parsed",
        parse: String,
        optional: true,
        variadic: true,
        placeholder: "machine",
        brief: "Remove this machine of yours too, whatever the ledger says",
      },
      container: {
        kind: "parsed",
        parse: String,
        optional: true,
        placeholder: "binary",
        brief: "Look at this container engine although the ledger does not name it",
      },
    },
  },
  docs: {
    brief: "Show machines that nobody needs any more; with --yes, remove them",
    fullDescription: `Asks every provider of the ledger for machines of this user and computer. Those whose controller (the program that
created them) is known here and has ended are removed with --yes; others are only listed, with the reason.

Exit code 0: nothing is left to remove; 1: something is, or a provider could not be asked.

Examples:
  sky sweep
  sky sweep --yes
  sky sweep --name sky-pool-0-4f2a90c1de --yes`,
  },
});
