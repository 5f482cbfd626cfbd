import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { NodeConfig } from "../../agent/config.ts";
import { SkyError } from "../../errors/sky-error.ts";
import type { RemoteShell } from "../../image/bootstrap.ts";
import type { NodeChoice } from "../../image/node-choice.ts";
import type { KeptMachine, LinkKey, LinkKind, Machine, MachineCommand, MachineProcess } from "../provider.ts";
import type { SshMachine } from "../ssh/machine.ts";

/** Its agent may take this long to end before the machine does. */
const LEAVE_MS = 3000;

export interface MachineLife {
  readonly name: string;
  readonly provider: string;
  /** How often its lease is renewed until its agent does; 0: never. */
  readonly renewMs: number;
  readonly address: string;
  /** It is all that its image says, and has what its agent needs. Called once or more. */
  ready(): void;
  /** Asks its provider whether it is gone, a moment from now; false where that can't be told. */
  gone(signal: AbortSignal): Promise<boolean>;
  /** Ends it. */
  remove(): Promise<void>;
  /** Puts down what a later run has to know of it, besides its agent. */
  keep(untilMs: number): Promise<object>;
}

/** A machine that was created for a pool, reached by SSH, and ended with its node. */
export class CreatedMachine implements Machine {
  readonly name: string;
  readonly host: string;
  readonly address: string;
  readonly #ssh: SshMachine;
  readonly #life: MachineLife;
  readonly #renewing = new AbortController();
  readonly #renewal: NodeJS.Timeout | undefined;
  #released: Promise<void> | undefined;

  constructor(ssh: SshMachine, life: MachineLife) {
    this.name = life.name;
    this.host = ssh.host;
    this.address = life.address;
    this.#ssh = ssh;
    this.#life = life;
    if (life.renewMs > 0) {
      this.#renewal = setInterval(() => this.#renew(), life.renewMs).unref();
      this.#renew();
    }
  }

  get workDir(): string {
    return this.#ssh.workDir;
  }

  shell(signal: AbortSignal): Promise<RemoteShell> {
    return this.#ssh.shell(signal);
  }

  spawn(command: MachineCommand, signal: AbortSignal): Promise<MachineProcess> {
    return this.#ssh.spawn(command, signal);
  }

  async start(config: NodeConfig, signal: AbortSignal, node?: NodeChoice): Promise<void> {
    const ready = (): void => this.#life.ready();
    await this.#ssh.start(config, signal, node, ready);
    ready();
    this.#stopRenewing();
  }

  async connect(kind: LinkKind, key: LinkKey, signal: AbortSignal): Promise<Duplex> {
    const over = new AbortController();
    const both = AbortSignal.any([signal, over.signal]);
    const connecting = this.#ssh.connect(kind, key, both);
    // A machine that is gone never answers; its provider knows.
    const gone = this.#life.gone(both).then((isGone) => {
      if (!isGone) return connecting;
      throw new SkyError("SKY_LINK_LOST", `${this.name} is gone: its provider has it no more`);
    });
    try {
      return await Promise.race([connecting, gone]);
    } finally {
      over.abort();
      gone.catch(() => undefined);
      connecting.catch(() => undefined);
    }
  }

  async keep(rank: number, key: LinkKey, untilMs: number): Promise<KeptMachine> {
    this.#stopRenewing();
    const [own, { data }] = [await this.#life.keep(untilMs), await this.#ssh.keep(rank, key)];
    this.#released ??= Promise.resolve();
    return { name: this.name, provider: this.#life.provider, rank, data: { ...own, ...data } };
  }

  release(): Promise<void> {
    this.#released ??= this.#end();
    return this.#released;
  }

  #renew(): void {
    // Who can't reach it now tries again; it is not lost for one renewal that failed.
    this.#ssh.renewLease(this.#renewing.signal).catch(() => undefined);
  }

  #stopRenewing(): void {
    clearInterval(this.#renewal);
    this.#renewing.abort();
  }

  async #end(): Promise<void> {
    this.#stopRenewing();
    // In order if that is possible, so that what tasks made can be disposed of.
    const left = this.#ssh.release();
    await Promise.race([left, sleep(LEAVE_MS, undefined, { ref: false })]);
    await this.#life.remove();
    this.#ssh.abandon();
    await left;
  }
}
