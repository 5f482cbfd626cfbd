import type { NodeConfig } from "../../agent/config.ts";
import type { Code } from "../../function/capture/code.ts";
import type { ResolvedImage } from "../../image/image.ts";
import type { NodeChoice } from "../../image/node-choice.ts";
import type { Provider } from "../../providers/provider.ts";
import type { Dispatcher } from "../dispatch/dispatcher.ts";
import type { TakenUp } from "../keep/keeping.ts";
import type { Node } from "./node.ts";
import type { NoteListeners } from "./node-note.ts";
import type { ShowsOutput } from "./shipping.ts";
import type { SyncIncludes } from "./sync-includes.ts";

export interface NodeOptions extends NoteListeners {
  readonly rank: number;
  readonly pool: string;
  readonly provider: Provider;
  readonly config: Omit<NodeConfig, "rank" | "pool">;
  readonly image: ResolvedImage;
  readonly choice: NodeChoice;
  readonly includes: SyncIncludes;
  /** Goes on with this machine in place of a new one. */
  readonly kept: TakenUp | undefined;
  /** What has to be in place before the node is ready. */
  readonly codes: readonly Code[];
  readonly dispatcher: Dispatcher;
  readonly shows: ShowsOutput;
  /** It can take tasks now, for the first time or again. */
  readonly onReady: (node: Node) => void;
  /** It can't be reached any more; what it had has been queued again. */
  readonly onLost: (node: Node, reason: string) => void;
  /** It has failed: what it said goes to a file. @returns its path, where it could be written */
  readonly keepLog: (node: Node, reason: string) => string | undefined;
}
