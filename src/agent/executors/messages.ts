import type { InstanceFacts } from "../../task/instance-info.ts";
import type { Place } from "../../wire/stream/records.ts";

/** One function with the values that it closes over, as an executor loads it. */
export interface BindMessage {
  readonly id: number;
  /** Absolute path of the entry module. */
  readonly entry: string;
  readonly values: Uint8Array;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Its tasks wait for a debugger. */
  readonly inspect?: boolean;
}

export interface HostBind extends BindMessage {
  /** Run limit of one task, ms; 0 for none. */
  readonly limitMs: number;
  /** The limit was asked for, so it holds for streams too. */
  readonly limited: boolean;
}

/** What belongs to a stream of a task: a record as it is on the wire, or one large element. */
export type StreamMessage =
  | { readonly type: "stream"; readonly record: Uint8Array }
  | { readonly type: "element"; readonly place: Place; readonly value: Uint8Array };

export type StreamNews =
  /** The generator of a task whose consumer has left runs what it has to run last. */
  | { readonly type: "closing"; readonly id: number }
  /** A body of this bind has given a stream. */
  | { readonly type: "streams"; readonly bind: number };

/** The large arguments of a task that has started: its own parts, and those of each shared value that it uses. */
export interface PartsMessage {
  readonly type: "parts";
  readonly id: number;
  readonly attempt: number;
  readonly value: readonly Uint8Array[];
  readonly shares: readonly (readonly Uint8Array[])[];
}

/** Gives tasks up: abort their signal, forget their outcome, free their slot. */
export type StopMessage = { readonly type: "stop"; readonly first: number; readonly count: number } & (
  | { readonly reason: "timeout"; readonly limitMs: number }
  /** `why`: what their signals fire with, encoded, where somebody gave a reason. */
  | { readonly reason: "cancelled"; readonly why: Uint8Array | undefined }
);

/** Work is bytes, as `packChunks` makes them; all else is an object. */
export type ToSlots =
  | Uint8Array
  | PartsMessage
  | { readonly type: "bind"; readonly bind: BindMessage }
  | { readonly type: "unbind"; readonly id: number }
  | StopMessage
  | { readonly type: "info"; readonly info: InstanceFacts }
  | StreamMessage
  | { readonly type: "slots" }
  /** Disposes of what functions made for the executor, which ends then. */
  | { readonly type: "end" }
  | { readonly type: "ping"; readonly id: number };

/** An outcome that is too large for a record. */
export interface LargeOutcomeMessage {
  readonly type: "bulk";
  readonly id: number;
  readonly attempt: number;
  readonly status: number;
  readonly elapsedUs: number;
  /** The status, then the encoded value. */
  readonly value: Uint8Array;
  readonly externals: readonly Uint8Array[];
}

/** OUTCOMES records are bytes, as they go on the wire; all else is an object. */
export type FromSlots =
  | Uint8Array
  | { readonly type: "ready" }
  | LargeOutcomeMessage
  /** A large task has started and needs its arguments. */
  | { readonly type: "fetch"; readonly id: number; readonly attempt: number }
  | { readonly type: "line"; readonly id: number; readonly stream: "stdout" | "stderr"; readonly text: string }
  | { readonly type: "progress"; readonly id: number; readonly done: number; readonly of: number }
  | StreamMessage
  | StreamNews
  | { readonly type: "pong"; readonly id: number }
  /** A task starts its first process; all that it starts carry this mark. */
  | { readonly type: "spawned"; readonly id: number; readonly mark: string }
  /** A task waits for a debugger at this port and path. */
  | {
      readonly type: "inspector";
      readonly task: number;
      readonly attempt: number;
      readonly port: number;
      readonly path: string;
    }
  /** A body that was given up has ended. */
  | { readonly type: "left" }
  /** Nothing is left to dispose of. */
  | { readonly type: "ended" }
  /** An error that may be the running task's, or one that ended here before: this thread can't go on. */
  | { readonly type: "escaped"; readonly text: string };

export interface ThreadData {
  readonly shared: SharedArrayBuffer;
  readonly slots: number;
  readonly single: boolean;
  readonly info: InstanceFacts;
}
