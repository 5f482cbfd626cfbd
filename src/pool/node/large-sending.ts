import type { BulkLink } from "../../wire/bulk-link.ts";
import { goesByLink } from "../../wire/goes-by-link.ts";
import { INLINE_MAX_BYTES, Mode, Op } from "../../wire/ops.ts";
import { writeLargeTask, writeTasksHeader } from "../../wire/records.ts";
import type { Session } from "../../wire/session.ts";
import type { Segment } from "../dispatch/segment.ts";
import type { SharedValue } from "../dispatch/shared-values.ts";
import type { LargeItem } from "../dispatch/sharing.ts";

const NOTHING = new Uint8Array(0);

/** What goes to one host by the bulk link: values of single tasks, and shared ones, each once. */
export class LargeSending {
  readonly #session: Session;
  readonly #bulk: BulkLink;
  readonly #shares = new Map<number, { readonly share: SharedValue; readonly channel: number }>();
  /** Channels by the task whose value they bring. */
  readonly #tasks = new Map<number, number>();

  constructor(session: Session, bulk: BulkLink) {
    this.#session = session;
    this.#bulk = bulk;
  }

  isLarge({ head, externals, shares }: LargeItem): boolean {
    return shares.length > 0 || goesByLink(head, externals, this.#session);
  }

  task(segment: Segment, index: number, attempt: number, { head, externals, shares }: LargeItem): void {
    const id = segment.first + index;
    for (const share of shares) if (!this.#shares.has(share.id)) this.#share(share);
    const inline = externals.length === 0 && head.byteLength <= INLINE_MAX_BYTES;
    const channel = inline ? 0 : this.#bulk.send([head, ...externals], () => this.#tasks.delete(id));
    if (channel > 0) this.#tasks.set(id, channel);
    this.#session.open(Op.TASKS);
    const mode = segment.single ? Mode.LARGE_ITEM : Mode.LARGE_ARGUMENTS;
    writeTasksHeader(this.#session.out, segment.bind.id, mode, attempt, id, 1);
    writeLargeTask(
      this.#session.out,
      channel,
      shares.map((share) => share.id),
      inline ? head : NOTHING,
    );
    this.#session.close();
  }

  /** Stops what is still leaving for these tasks. */
  cancel(first: number, count: number): void {
    for (const [id, channel] of this.#tasks) {
      if (id < first || id >= first + count) continue;
      this.#tasks.delete(id);
      this.#bulk.abort(channel);
    }
  }

  unshare({ id }: SharedValue): void {
    const sent = this.#shares.get(id);
    if (!sent) return;
    this.#shares.delete(id);
    this.#bulk.abort(sent.channel);
    this.#session.open(Op.UNSHARE);
    this.#session.out.u32(id);
    this.#session.close();
    this.#session.flush();
  }

  /** The host has it no more. */
  again(id: number): void {
    const sent = this.#shares.get(id);
    if (!sent) return;
    this.#share(sent.share);
    this.#session.flush();
  }

  #share(share: SharedValue): void {
    const channel = this.#bulk.send(share.parts, undefined, share.hashes);
    this.#shares.set(share.id, { share, channel });
    this.#session.open(Op.SHARE);
    this.#session.out.u32(share.id);
    this.#session.out.u32(channel);
    this.#session.close();
  }
}
