import type { Code } from "../../function/capture/code.ts";
import type { Bind } from "./bind.ts";
import type { StreamOutbox } from "../../wire/stream/outbox.ts";
import type { SharedValue } from "./shared-values.ts";
import type { Segment } from "./segment.ts";

/** A node that can take tasks, as the dispatcher needs it. */
export interface NodePort {
  readonly rank: number;
  /** How far the node's clock is ahead of ours, ms; NaN while that is not known. */
  readonly clock: { readonly aheadMs: number };
  /** Puts a code in place, with the packages that it needs. @throws SkyError SKY_INSTALL_FAILED */
  prepare(code: Code): Promise<void>;
  tasks(segment: Segment, index: number, count: number, attempt: number): void;
  revoke(count: number): void;
  /** @param why what their bodies' signals fire with, encoded; left out where nobody gave a reason */
  cancel(first: number, count: number, why?: Uint8Array): void;
  forget(bind: Bind): void;
  /** Nobody needs the value any more. */
  unshare(share: SharedValue): void;
  flush(): void;
  /** The value that came in a channel of the data link; `takeLarge`: the parts that came by the bulk link. */
  take(channel: number): Buffer;
  readonly streams: StreamOutbox;
  takeLarge(channel: number): Uint8Array[];
}
