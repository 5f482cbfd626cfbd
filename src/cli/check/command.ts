import { buildCommand } from "@stricli/core";

export interface CheckFlags {
  readonly function?: string;
  readonly json: boolean;
}

/** `sky check file.ts` */
export const check = buildCommand({
  loader: async () => (await import("./check.ts")).check,
  parameters: {
    flags: {
      function: {
        kind: "parsed",
        parse: String,
        optional: true,
        placeholder: "name",
        brief: "Check this function alone",
      },
      json: { kind: "boolean", default: false, withNegated: false, brief: "Print one JSON document" },
    },
    positional: {
      kind: "tuple",
      parameters: [{ brief: "The file that makes the functions", parse: String, placeholder: "file" }],
    },
  },
  docs: {
    brief: "Show what would travel with each function of a file",
    fullDescription: `Runs the file in a process of its own, up to where it would open a pool: no pool is opened, nothing behind that runs.
Each function that it made with sky.fn is then captured as for a dispatch, and all that would travel is listed with sizes and reasons.
What the file itself prints goes to stderr. Exit code 0: all can be sent; 1: one is refused, or the file failed; 2: wrong usage.

Examples:
  sky check src/train.ts
  sky check src/train.ts --function train
  sky check src/train.ts --json | jq '.functions[] | {name, bytes}'`,
  },
});
