import { buildCommand } from "@stricli/core";

export interface SweepFlags {
  readonly yes: boolean;
  readonly json: boolean;
  readonly name?: readonly string[];
  readonly container?: string;
  readonly provider?: string;
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
      provider: {
        kind: "parsed",
        parse: String,
        optional: true,
        placeholder: "module",
        brief: "A module that exports a provider's function by the provider's name, for one that is not Skyward's own",
      },
    },
  },
  docs: {
    brief: "Show machines that nobody needs any more; with --yes, remove them",
    fullDescription: `Asks every provider of the ledger for machines of this user and computer. Those whose controller (the program that
created them) is known here and has ended are removed with --yes, and those of an unknown controller whose own lease, asked
of the machine, is over. Others are only listed, with the reason. Docker and Podman are asked where they are here.

Exit code 0: nothing is left to remove; 1: something is, a provider could not be asked, or a named machine was not found.

Examples:
  sky sweep
  sky sweep --yes
  sky sweep --name sky-pool-0-4f2a90c1de --yes
  sky sweep --provider ./acme.js`,
  },
});
