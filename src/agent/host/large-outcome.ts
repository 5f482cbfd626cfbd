import { open, readFile, rename, rm } from "node:fs/promises";
import { ByteWriter } from "../../values/byte-writer.ts";
import type { BulkLink } from "../../wire/bulk-link.ts";
import { goesByLink } from "../../wire/goes-by-link.ts";
import { leftLarge } from "../../wire/left-outcomes.ts";
import { Op, Status } from "../../wire/ops.ts";
import { totalBytes } from "../../wire/parts.ts";
import { writeOutcomesHeader } from "../../wire/records.ts";
import type { Session } from "../../wire/session.ts";
import type { LargeOutcomeMessage } from "../executors/messages.ts";
import { PART } from "../left-behind.ts";

/** An outcome that is too large for a record, from its end until the controller has all of it: in memory, on disk, or both. */
export class LargeOutcome {
  readonly bytes: number;
  readonly #path: string;
  readonly #message: Omit<LargeOutcomeMessage, "type" | "value" | "externals">;
  readonly #ended: number;
  /** The encoded value, then its bytes out of band; undefined while they are on disk only. */
  #parts: readonly Uint8Array[] | undefined;
  readonly #sizes: readonly number[];
  #stored: Promise<void> | undefined;
  /** The frame with its record, once that is written. */
  #frame: number | undefined;
  /** All parts have arrived. */
  #crossed = false;
  #gone = false;
  /** It is on its way, or about to be. */
  leaving = false;

  /** @param ended ms since the epoch */
  constructor(path: string, { value, externals, ...message }: LargeOutcomeMessage, ended: number) {
    this.#path = path;
    this.#message = message;
    this.#ended = ended;
    this.#parts = [value.subarray(1), ...externals];
    this.#sizes = this.#parts.map((part) => part.byteLength);
    this.bytes = totalBytes(this.#parts);
  }

  get id(): number {
    return this.#message.id;
  }

  get attempt(): number {
    return this.#message.attempt;
  }

  /** Its parts have still to cross. */
  get underWay(): boolean {
    return this.leaving && !this.#crossed;
  }

  /** Whether the controller has it, when it has so many frames. */
  arrived(acked: number): boolean {
    return this.#crossed && this.#frame !== undefined && acked >= this.#frame;
  }

  /** Needs its parts in memory. `crossed`: they have arrived, or stand in frames. */
  send(session: Session, bulk: BulkLink, crossed: () => void): void {
    const [head = NOTHING, ...externals] = this.#parts!;
    const { id, attempt, status, elapsedUs } = this.#message;
    const threw = status === Status.THREW;
    this.leaving = true;
    const say = (how: number, channel: number): void => {
      this.#frame = session.sent + 1;
      session.open(Op.OUTCOMES);
      writeOutcomesHeader(session.out, id, attempt, 1, elapsedUs, this.#ended);
      session.out.varint(5);
      session.out.u8(how);
      session.out.u32(channel);
      session.close();
    };
    if (goesByLink(head, externals, session)) {
      const channel = bulk.send(this.#parts!, () => {
        this.#crossed = true;
        crossed();
      });
      say(threw ? Status.THREW_LARGE : Status.RETURNED_LARGE, channel);
      return;
    }
    // Its chunks stand in front of its record: who has that has them.
    session.bulk.send(head, (channel) => {
      this.#crossed = true;
      say(threw ? Status.THREW_BULK : Status.RETURNED_BULK, channel);
      crossed();
    });
  }

  /** Writes it to disk. `alone`: memory need not have it then. */
  store(alone: boolean): Promise<void> {
    this.#stored ??= this.#write();
    return alone
      ? this.#stored.then(() => {
          if (!this.leaving) this.#parts = undefined;
        })
      : this.#stored;
  }

  /** Has it in memory, on its way to leave. */
  async load(): Promise<void> {
    this.leaving = true;
    if (this.#parts) return;
    const bytes = await readFile(this.#path);
    let at = bytes.length - this.bytes;
    this.#parts = this.#sizes.map((size) => bytes.subarray(at, (at += size)));
  }

  /** Nobody needs it any more. */
  remove(): void {
    this.#gone = true;
    void this.#stored?.then(() => rm(this.#path, { force: true })).catch(() => undefined);
  }

  async #write(): Promise<void> {
    const parts = this.#parts!;
    const { id, attempt, status, elapsedUs } = this.#message;
    const header = new ByteWriter(64);
    writeOutcomesHeader(header, id, attempt, 1, elapsedUs, this.#ended);
    const head = leftLarge(header.buf.subarray(0, header.pos), status, parts);
    const part = `${this.#path}${PART}`;
    try {
      const file = await open(part, "w", 0o600);
      try {
        await file.appendFile(head);
        for (const bytes of parts) if (bytes.byteLength > 0) await file.appendFile(bytes);
      } finally {
        await file.close();
      }
      await rename(part, this.#path);
    } catch (error) {
      await rm(part, { force: true }).catch(() => undefined);
      if (!this.#gone) throw error;
    }
  }
}

const NOTHING = new Uint8Array(0);
