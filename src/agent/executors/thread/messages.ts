import type { InstanceFacts } from "../../../task/instance-info.ts";

/** A record's tasks, or the part of them that one thread got. */
export interface ChunkMessage {
  /** Index of the chunk's claim word in shared memory. */
  readonly word: number;
  readonly bind: number;
  readonly mode: number;
  readonly attempt: number;
  readonly first: number;
  readonly count: number;
  /** `count` items, each `varint length, bytes`; or one whole item where the mode says bulk. */
  readonly body: Uint8Array;
}

/** One function with the values that it closes over, as an executor loads it. */
export interface BindMessage {
  readonly id: number;
  /** Absolute path of the entry module. */
  readonly entry: string;
  readonly values: Uint8Array;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

export type ToThread =
  | { readonly type: "chunks"; readonly chunks: readonly ChunkMessage[] }
  | { readonly type: "bind"; readonly bind: BindMessage }
  | { readonly type: "unbind"; readonly id: number }
  /** Gives tasks up: abort their signal, forget their outcome, free their slot. */
  | { readonly type: "stop"; readonly first: number; readonly count: number; readonly reason: "cancelled" | "timeout" }
  | { readonly type: "info"; readonly info: InstanceFacts }
  | { readonly type: "slots" }
  | { readonly type: "ping"; readonly id: number };

export type FromThread =
  | { readonly type: "ready" }
  /** OUTCOMES records, as they go on the wire. */
  | { readonly type: "outcomes"; readonly records: Uint8Array }
  | { readonly type: "bulk"; readonly id: number; readonly attempt: number; readonly status: number; readonly elapsedUs: number; readonly value: Uint8Array }
  | { readonly type: "line"; readonly id: number; readonly stream: "stdout" | "stderr"; readonly text: string }
  | { readonly type: "progress"; readonly id: number; readonly done: number; readonly of: number }
  | { readonly type: "pong"; readonly id: number }
  /** Tasks left behind by the thread's own doing, such as a body that was given up and ended since. */
  | { readonly type: "ended"; readonly id: number };

export interface ThreadData {
  readonly shared: SharedArrayBuffer;
  readonly slots: number;
  readonly single: boolean;
  readonly info: InstanceFacts;
}
