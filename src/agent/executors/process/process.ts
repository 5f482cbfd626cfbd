import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, openSync, unlinkSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { readInto } from "../../../wire/read-into.ts";
import type { ProcessEnd } from "../../../wire/records.ts";
import { withHugePages } from "../../huge-pages.ts";
import { SLOT_MARKER } from "../../process-tree.ts";
import { Carrier, type CarrierEvents, type CarrierOptions } from "../carrier.ts";
import type { Chunk, Work } from "../chunk.ts";
import type { ToSlots } from "../messages.ts";
import { CLAIM_BYTES, ClaimFile } from "./claim-file.ts";
import { Frames, framesOf } from "./frames.ts";
import { HostClaims } from "./host-claims.ts";
import { exitReason } from "./last-words.ts";
import { MarkedOutput } from "./marked-output.ts";
import type { FromProcess, ToProcess } from "./process-messages.ts";
import { endStrays } from "../end-strays.ts";

/** Chunks that one process may hold at a time. */
const WORDS = 256;
/** How long the last words of a dead process may take, when a child of it holds the pipe. */
const LAST_WORDS_MS = 50;

export interface ProcessPlace {
  /** The node's run directory. */
  readonly dir: string;
  /** Which of the node's processes this is, for the functions it runs. */
  readonly worker: number;
}

/** The text of `slot-main.ts`, which the bundler puts here. */
declare const SLOT_PROGRAM: string;

let written = false;

/**
 * A program of its own, in CommonJS: of the whole agent, and as a module, a process would need half as long again to
 * start.
 */
function slotProgram(dir: string): string {
  const path = join(dir, "slot.cjs");
  if (!written) writeFileSync(path, SLOT_PROGRAM, { mode: 0o600 });
  written = true;
  return path;
}

let started = 0;

/** One process with one slot, in a process group of its own. */
export class Process extends Carrier {
  readonly kind = "process";
  readonly share: HostClaims;
  readonly worker: number;
  readonly #child: ChildProcess;
  readonly #channel: Duplex | undefined;
  readonly #mark: string;
  readonly #fd: number;
  readonly #gone: Promise<void>;
  readonly #said: MarkedOutput;
  /** How often items were taken back without its having seen it: it must, before it is given more. */
  #cuts = 0;

  constructor({ dir, worker }: ProcessPlace, { base, info }: CarrierOptions, events: CarrierEvents) {
    super(base, WORDS);
    this.worker = worker;
    this.#mark = `${dir}#${process.pid}.${++started}`;
    this.#fd = namelessFile(join(dir, `slot-${started}`));
    this.share = new HostClaims(new ClaimFile(this.#fd));
    const secret = `\0${randomBytes(6).toString("hex")}:`;
    this.#child = spawn(process.execPath, [slotProgram(dir), secret.slice(1)], {
      detached: true,
      stdio: ["ignore", "pipe", "pipe", "pipe", this.#fd],
      env: withHugePages({ ...process.env, [SLOT_MARKER]: this.#mark }),
    });
    const outputOf = (stream: "stdout" | "stderr"): MarkedOutput => {
      const output = new MarkedOutput(secret, (id, text) => events.message(this, { type: "line", id, stream, text }));
      this.#child[stream]?.on("data", (chunk: Buffer) => output.push(chunk)).on("error", () => {});
      return output;
    };
    const stdout = outputOf("stdout");
    const stderr = outputOf("stderr");
    this.#said = stderr;
    const frames = new Frames<FromProcess>((message) => this.#heard(message, events));
    const channel = this.#child.stdio[3] as Socket | undefined;
    this.#channel = channel && readInto(channel, frames).on("error", () => {});
    this.#gone = new Promise((resolve) => {
      const ended = (reason: string, end?: ProcessEnd): void => {
        stdout.end();
        stderr.end();
        events.exit(this, reason, end);
        closeSync(this.#fd);
        resolve();
      };
      this.#child.once("error", (error) => {
        if (this.#child.pid === undefined) ended(`could not be started: ${error.message}`);
      });
      this.#child.once("exit", (code, signal) => {
        // What it started goes with it, the nearest first.
        this.#killGroup();
        void Promise.all([endStrays(this.#mark), this.#silent()]).then(() => {
          const end = { code, signal, stderr: stderr.tail.toString() };
          ended(exitReason(end), end);
        });
      });
    });
    this.post({ type: "info", info });
  }

  override post(message: ToSlots): void {
    if (message instanceof Uint8Array || message.type !== "info") return void this.#write(message);
    const { info } = message;
    // Each process is a worker of its own; how many there are the host has said.
    this.#write({ type: "info", info: { ...info, worker: this.worker } });
  }

  override get unclaimed(): number {
    return this.open === 0 ? 0 : this.share.left;
  }

  override get full(): boolean {
    return super.full || this.#cuts > 0;
  }

  override release(chunk: Chunk): void {
    this.share.close(chunk.word);
    super.release(chunk);
  }

  override cut(wanted: number): Work[] {
    if (this.open <= 1) return [];
    // What it is to see the end of must be there first.
    this.send();
    const before = this.share.given;
    const works = super.cut(wanted);
    if (this.share.given < before) {
      this.#cuts++;
      this.#write({ type: "cut", limit: this.share.given });
    }
    return works;
  }

  /** Ends it, its group, and what left the group. */
  override async terminate(): Promise<void> {
    this.#killGroup();
    await this.#gone;
  }

  #killGroup(): void {
    try {
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, "SIGKILL");
    } catch {
      // Nobody of it is left.
    }
  }

  #write(message: ToProcess): void {
    if (this.#channel?.writable) for (const piece of framesOf(message)) this.#channel.write(piece);
  }

  #heard(message: FromProcess, events: CarrierEvents): void {
    if (!(message instanceof Uint8Array) && message.type === "cut") {
      this.#cuts--;
      // Somebody may have waited for just that.
      events.message(this, { type: "pong", id: -1 });
      return;
    }
    // What a function prints counts as its last words like what it writes by itself.
    if ("type" in message && message.type === "line" && message.stream === "stderr")
      this.#said.tail.push(Buffer.from(`${message.text}\n`));
    events.message(this, message);
  }

  /** All that it said has been read; what its children still say has no time limit, so there is one. */
  async #silent(): Promise<void> {
    const ended = (stream: NodeJS.ReadableStream | undefined | null): Promise<unknown> | undefined =>
      stream && (stream as Socket).closed === false
        ? new Promise((resolve) => stream.once("close", resolve))
        : undefined;
    const limit = delay(LAST_WORDS_MS, undefined, { ref: false });
    await Promise.all([
      ended(this.#channel),
      Promise.race([limit, Promise.all([ended(this.#child.stdout), ended(this.#child.stderr)])]),
    ]);
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }
}

/** A file that goes with the last process that holds it. */
function namelessFile(path: string): number {
  const fd = openSync(path, "w+", 0o600);
  unlinkSync(path);
  writeSync(fd, new Uint8Array(CLAIM_BYTES));
  return fd;
}
