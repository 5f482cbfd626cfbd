import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { BulkLink } from "../../wire/bulk-link.ts";
import type { Session } from "../../wire/session.ts";
import type { LargeOutcomeMessage } from "../executors/messages.ts";
import { LargeOutcome } from "./large-outcome.ts";
import { SMALL } from "../left-behind.ts";
import { smallOutcomes } from "./small-outcomes.ts";

/** How often a host looks whether what it sent arrives. What has not after two looks lies on disk. */
const LOOK_MS = 1000;
/** Of large outcomes that were moved to disk so many bytes are on their way again at a time. */
const RETURNING_BYTES = 64 * 1024 * 1024;

export interface KeptOptions {
  /** Where the outcomes of this session go. */
  readonly dir: () => string;
  readonly session: () => Session;
  readonly bulk: () => BulkLink;
  /** What a task gave is gone. */
  readonly lost: (id: number, attempt: number, detail: string) => void;
}

/**
 * Outcomes that the controller has not acknowledged. While it is silent they are on disk too, so that the end of this
 * process loses none, and large ones are there only. Streams are not kept: they need the one who reads them.
 */
export class KeptOutcomes {
  readonly #options: KeptOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #large = new Set<LargeOutcome>();
  #away = false;
  /** Frames that the controller had when it fell silent. */
  #hadThen = 0;
  /** Frames that it had at the last look, if it did not have all. */
  #hadAtLook = -1;
  /** The newest frame whose outcomes are on disk. */
  #written = 0;
  #file: number | undefined;
  #full = false;

  constructor(options: KeptOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
  }

  /** Sends a large outcome, or puts it on disk until somebody is there to take it. `ended`: ms since the epoch. */
  large(message: LargeOutcomeMessage, ended: number): void {
    const { dir } = this.#options;
    for (const one of this.#large) if (one.arrived(this.#options.session().acked)) this.#drop(one);
    const one = new LargeOutcome(join(dir(), `${message.id}-${message.attempt}`), message, ended);
    this.#large.add(one);
    if (this.#away) this.#store(one, true);
    else this.#send(one);
  }

  /** The link is gone. */
  cut(): void {
    this.#leave();
  }

  /** Frames have been made. */
  flushed(): void {
    if (this.#away) this.#append();
  }

  /** Something came from the controller. */
  heard(): void {
    if (!this.#away && this.#file === undefined) return;
    const { acked, sent, up } = this.#options.session();
    if (this.#away && up && (acked > this.#hadThen || acked === sent)) {
      this.#away = false;
      this.#hadAtLook = -1;
      this.#return();
    }
    if (!this.#away && acked >= this.#written) this.#forgetSmall();
  }

  /** Another session begins, or none does. */
  reset(): void {
    this.#large.clear();
    this.#forgetSmall();
    rmSync(this.#options.dir(), { recursive: true, force: true });
    this.#away = this.#full = false;
    this.#written = 0;
    this.#hadAtLook = -1;
  }

  dispose(): void {
    clearInterval(this.#timer);
    this.reset();
  }

  #look(): void {
    const { acked, sent } = this.#options.session();
    this.heard();
    for (const one of this.#large) if (one.arrived(acked)) this.#drop(one);
    if (!this.#away && acked < sent && acked === this.#hadAtLook) this.#leave();
    this.#hadAtLook = acked < sent ? acked : -1;
  }

  #leave(): void {
    if (this.#away) return;
    this.#away = true;
    this.#hadThen = this.#options.session().acked;
    for (const one of this.#large) this.#store(one, false);
    this.#append();
  }

  /** The controller is there again: what was moved to disk leaves, a part at a time. */
  #return(): void {
    if (this.#away) return;
    let room = RETURNING_BYTES;
    for (const one of this.#large) if (one.underWay) room -= one.bytes;
    for (const one of this.#large) {
      if (one.leaving) continue;
      if (room <= 0) return;
      room -= one.bytes;
      one.load().then(
        () => {
          if (this.#large.has(one)) this.#send(one);
        },
        (error: unknown) => {
          this.#drop(one);
          this.#options.lost(one.id, one.attempt, `its outcome can't be read from disk: ${String(error)}`);
        },
      );
    }
  }

  #send(one: LargeOutcome): void {
    const { session, bulk } = this.#options;
    one.send(session(), bulk(), () => {
      if (one.arrived(session().acked)) this.#drop(one);
      this.#return();
    });
    session().flush();
  }

  #drop(one: LargeOutcome): void {
    if (this.#large.delete(one)) one.remove();
  }

  #store(one: LargeOutcome, alone: boolean): void {
    this.#onDisk(() => mkdirSync(this.#options.dir(), { recursive: true, mode: 0o700 }));
    one.store(alone).catch((error: unknown) => this.#failed(error));
  }

  #append(): void {
    const session = this.#options.session();
    const bytes = smallOutcomes(session.framesAfter(Math.max(this.#written, session.acked)));
    this.#written = session.sent;
    if (bytes.length === 0) return;
    this.#onDisk(() => {
      const dir = this.#options.dir();
      if (this.#file === undefined) {
        mkdirSync(dir, { recursive: true, mode: 0o700 });
        this.#file = openSync(join(dir, SMALL), "a", 0o600);
      }
      for (let at = 0; at < bytes.length;) at += writeSync(this.#file, bytes, at);
    });
  }

  #forgetSmall(): void {
    if (this.#file === undefined) return;
    closeSync(this.#file);
    this.#file = undefined;
    rmSync(join(this.#options.dir(), SMALL), { force: true });
  }

  #onDisk(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    if (this.#full) return;
    this.#full = true;
    console.error(`outcomes can't be written to disk, and are lost if this process ends: ${String(error)}`);
  }
}
