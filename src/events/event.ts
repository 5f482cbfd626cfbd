import type { EventBase } from "./event-base.ts";
import type { LogEvent, NodeEvent } from "./node-events.ts";
import type { PoolEvent } from "./pool-events.ts";
import type { TaskEvent } from "./task-events.ts";

/** A slow reader of the event stream missed events: what, and how many. Stands where they would have stood. */
export interface EventsDropped extends EventBase {
  readonly type: "Events.Dropped";
  readonly count: number;
  /** Dropped events by type, such as `{ "Log.Emitted": 512 }`. */
  readonly byType: Readonly<Record<string, number>>;
}

/** Everything that happens, as one union on `type`. All fields are plain data, so that an event can be logged and sent. */
export type SkyEvent = PoolEvent | NodeEvent | TaskEvent | LogEvent | EventsDropped;

export type EventType = SkyEvent["type"];

/** First parts of event types: `"Task"` stands for `Task.Queued`, `Task.Failed`, ...; a full type stands for itself. */
export type EventPrefix = PrefixOf<EventType>;

type PrefixOf<T extends string> = T extends `${infer Head}.${infer Rest}` ? Head | `${Head}.${PrefixOf<Rest>}` : T;

/** The events whose type is `P` or begins with `P` and a dot. */
export type EventsUnder<P extends EventPrefix> = Extract<SkyEvent, { type: P | `${P}.${string}` }>;

/** Whether `type` is `prefix` or lies under it: `Task` covers `Task.Failed` and not `Tasks.Progress`. */
export function isUnder(type: string, prefix: string): boolean {
  return type.startsWith(prefix) && (type.length === prefix.length || type[prefix.length] === ".");
}
