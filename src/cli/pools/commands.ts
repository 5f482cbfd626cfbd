import { buildCommand } from "@stricli/core";

const pool = {
  brief: "The pool's name, or name-pid as sky nodes shows it; left out: the only one",
  parse: String,
  placeholder: "pool",
};
const jsonFlag = { kind: "boolean", default: false, withNegated: false, brief: "Print JSON" } as const;

export interface NodesFlags {
  readonly json: boolean;
}

/** `sky nodes [pool]` */
export const nodes = buildCommand({
  loader: async () => (await import("./nodes.ts")).nodesCommand,
  parameters: {
    flags: { json: jsonFlag },
    positional: { kind: "tuple", parameters: [{ ...pool, optional: true }] },
  },
  docs: {
    brief: "Show the open pools of this computer's programs, and their nodes",
    fullDescription: `Each node with what it does, its load and its tasks. Exit code 1: no such pool.

Examples:
  sky nodes
  sky nodes train --json | jq '.[0].view.nodes[] | {node, status}'`,
  },
});

export interface LogsFlags {
  readonly node?: number;
  readonly follow: boolean;
  readonly failed: boolean;
  readonly json: boolean;
}

/** `sky logs [pool] [rank]` */
export const logs = buildCommand({
  loader: async () => (await import("./logs.ts")).logsCommand,
  parameters: {
    flags: {
      node: { kind: "parsed", parse: rank, optional: true, placeholder: "rank", brief: "Lines of this node alone" },
      follow: { kind: "boolean", default: false, withNegated: false, brief: "Go on with what comes" },
      failed: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "List the logs of failed nodes that are kept here",
      },
      json: jsonFlag,
    },
    positional: {
      kind: "tuple",
      parameters: [
        { ...pool, optional: true },
        { brief: "Lines of this node alone", parse: rank, placeholder: "rank", optional: true },
      ],
    },
    aliases: { n: "node", f: "follow" },
  },
  docs: {
    brief: "Show what the nodes of a pool have printed",
    fullDescription: `The last 1 MB of each node: its tasks' lines, its bootstrap, and why it was lost. Where no such pool is open: those of its last run's nodes that failed. They are kept for 14 days, 50 of them at most. Exit code 1: there is neither.

Examples:
  sky logs
  sky logs train 2 --follow
  sky logs --failed --json | jq -r '.[0].file'`,
  },
});

export interface ExecFlags {
  readonly node?: number;
  readonly pool?: string;
  readonly stdin: boolean;
  readonly json: boolean;
}

/** `sky exec [--pool name] command...` */
export const exec = buildCommand({
  loader: async () => (await import("./exec.ts")).execCommand,
  parameters: {
    flags: {
      node: { kind: "parsed", parse: rank, optional: true, placeholder: "rank", brief: "On this node alone" },
      pool: { kind: "parsed", parse: String, optional: true, placeholder: "name", brief: pool.brief },
      stdin: { kind: "boolean", default: false, withNegated: false, brief: "Pass what comes on stdin to each node" },
      json: jsonFlag,
    },
    positional: {
      kind: "array",
      parameter: {
        brief: "One word is a shell command; several are run as they are",
        parse: String,
        placeholder: "word",
      },
      minimum: 1,
    },
    aliases: { n: "node", p: "pool" },
  },
  docs: {
    brief: "Run a command on the nodes of an open pool",
    fullDescription: `With the variables that tasks have. Lines of several nodes bear their node's number. Exit code: the highest of all nodes; 128 and its number for a signal.

Examples:
  sky exec nvidia-smi
  sky exec --node 0 "df -h / | tail -1"
  sky exec --pool train -- ls -l /data`,
  },
});

/** `sky ssh pool rank` */
export const ssh = buildCommand({
  loader: async () => (await import("./ssh.ts")).sshCommand,
  parameters: {
    positional: {
      kind: "tuple",
      parameters: [
        { ...pool, optional: true },
        { brief: "The node's rank", parse: rank, placeholder: "rank", optional: true },
      ],
    },
  },
  docs: {
    brief: "Open a shell on a node of an open pool",
    fullDescription: `Through the connection that the pool's program has: no other login, no key. Without a rank: the head node. Where stdin is no terminal, the shell reads its commands from there.

Examples:
  sky ssh
  sky ssh train 2
  sky ssh train 2 < setup.sh`,
  },
});

function rank(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new Error(`a node's rank is a number such as 0; got ${JSON.stringify(text)}`);
}
