import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { docker } from "./docker.ts";
import type { MachineKind } from "./images.ts";
import { type KeyPair, newKeyPair } from "../../src/ssh/key-pair.ts";
import { RigMachine } from "./machine.ts";
import type { Weather } from "./weather.ts";

const { RIG_WEATHER } = process.env;

export interface MachineOptions {
  /** @default "baked" */
  readonly kind?: MachineKind;
  /** What `/tmp` and the cache of root may hold each, in MB; needed for `fillDisk`. @default as much as this computer has */
  readonly diskMb?: number;
  /** Words for `docker run`: limits of CPU and memory. */
  readonly run?: readonly string[];
  /** The way to it from the beginning. @default what `RIG_WEATHER` says, as JSON; else a fast and faithful one */
  readonly weather?: Weather;
}

export interface RigOptions extends MachineOptions {
  /** @default 1 */
  readonly machines?: number;
}

/**
 * Real machines on this computer: containers with an sshd and an address each, root and `worker` (who has sudo) let in
 * by one key. Its files and all of its machines go with it.
 */
export class Rig implements AsyncDisposable {
  readonly machines: RigMachine[] = [];
  /** Path of the private key that every machine takes. */
  readonly key: string;
  /** Path of a file with every machine's host key as it was when the machine was made. */
  readonly knownHosts: string;
  readonly #dir: string;
  readonly #pair: KeyPair;

  private constructor(dir: string, pair: KeyPair) {
    this.#dir = dir;
    this.#pair = pair;
    this.key = join(dir, "key");
    this.knownHosts = join(dir, "known_hosts");
  }

  static async start({ machines = 1, ...options }: RigOptions = {}): Promise<Rig> {
    const rig = new Rig(await mkdtemp(join(tmpdir(), "skyward-rig-")), await newKeyPair());
    try {
      await writeFile(rig.key, rig.#pair.privateKey, { mode: 0o600 });
      await rig.add(machines, options);
    } catch (error) {
      await rig[Symbol.asyncDispose]();
      throw error;
    }
    return rig;
  }

  /** Options for `sky.ssh`: all machines, as root. */
  get ssh(): { readonly hosts: readonly string[]; readonly key: string; readonly knownHosts: string } {
    return { hosts: this.machines.map((one) => `root@${one.address}`), key: this.key, knownHosts: this.knownHosts };
  }

  /** More machines, all at once; resolves when every sshd greets. */
  async add(count: number, options: MachineOptions = {}): Promise<readonly RigMachine[]> {
    const weather = options.weather ?? (RIG_WEATHER ? (JSON.parse(RIG_WEATHER) as Weather) : undefined);
    const starting = Array.from({ length: count }, () => RigMachine.start(this.#pair.publicKey, options));
    const started = await Promise.allSettled(starting);
    const added = started.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    this.machines.push(...added);
    for (const one of started) if (one.status === "rejected") throw one.reason;
    await this.trust();
    if (weather) await Promise.all(added.map((one) => one.weather(weather)));
    return added;
  }

  /** Writes the host keys that the machines have now. */
  async trust(): Promise<void> {
    await writeFile(this.knownHosts, this.machines.map((one) => `${one.address} ${one.hostKey}\n`).join(""));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.machines.map((one) => one.calm()));
    const names = this.machines.map((one) => one.name);
    if (names.length > 0) await docker("rm", "--force", "--volumes", ...names);
    await rm(this.#dir, { recursive: true, force: true });
  }
}
