import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { docker, inNetworkOf } from "./docker.ts";
import { imageOf } from "./images.ts";
import { newKeyPair } from "../../src/ssh/key-pair.ts";
import { NETWORK } from "./network.ts";
import { owner, OWNER_LABEL } from "./owner.ts";
import type { MachineOptions } from "./rig.ts";
import { makeWeather, type Weather } from "./weather.ts";

const GREETING_LIMIT_MS = 20_000;
/** What is limited when a machine has a disk of its own. */
const DISKS = ["/tmp", "/root/.cache"];

interface Made {
  readonly name: string;
  readonly address: string;
  /** Its first process, as this computer numbers it. */
  readonly pid: number;
  /** "ssh-ed25519 AAAA..." */
  readonly hostKey: string;
}

/** A machine of a rig, and what can happen to it. */
export class RigMachine {
  readonly #authorized: string;
  readonly #options: MachineOptions;
  #made: Made;
  #weather: AsyncDisposable | undefined;
  #isCutOff = false;

  private constructor(authorized: string, options: MachineOptions, made: Made) {
    this.#authorized = authorized;
    this.#options = options;
    this.#made = made;
  }

  static async start(authorized: string, options: MachineOptions): Promise<RigMachine> {
    return new RigMachine(authorized, options, await make(authorized, options));
  }

  /** The container's. */
  get name(): string {
    return this.#made.name;
  }

  get address(): string {
    return this.#made.address;
  }

  get hostKey(): string {
    return this.#made.hostKey;
  }

  /** Runs a command as root on the machine, past its network and sshd. */
  exec(...command: readonly string[]): Promise<string> {
    return docker("exec", this.name, ...command);
  }

  /** Pulls the plug. */
  async kill(): Promise<void> {
    await docker("kill", this.name);
  }

  /** Every process stands still, as under a hypervisor that does not schedule it. */
  async pause(): Promise<void> {
    await docker("pause", this.name);
  }

  async unpause(): Promise<void> {
    await docker("unpause", this.name);
  }

  /** Counts the connections that sshd has let in, again and again; the most that there were at once. */
  async countConnections(): Promise<() => Promise<number>> {
    const file = `/tmp/.count-${randomBytes(4).toString("hex")}`;
    // Children of the one that listens: theirs, about to become a command, have their title for a moment.
    const ours = `pgrep -fc -P "$(pgrep -of 'sshd.*listener')" '^sshd: [a-z]+@' 2>/dev/null`;
    const count = `n=$(${ours}); [ "\${n:-0}" -le "$max" ] || max=$n`;
    const script = `max=0; touch ${file}; while [ -e ${file} ]; do ${count}; sleep 0.04; done; echo $max`;
    const counting = this.exec("sh", "-c", script);
    counting.catch(() => undefined);
    await this.exec("sh", "-c", `until [ -e ${file} ]; do sleep 0.02; done`);
    return async () => {
      await this.exec("rm", "-f", file);
      return Number(await counting);
    };
  }

  /** Ends sshd and its connections at once; a new sshd is there a moment later. */
  async killSshd(): Promise<void> {
    await this.exec("pkill", "-KILL", "sshd");
    await greets(this.address);
  }

  /** No packet comes in or goes out, and nobody is told. */
  async cutOff(): Promise<void> {
    await this.#filter("-I");
    this.#isCutOff = true;
  }

  async reconnect(): Promise<void> {
    this.#isCutOff = false;
    await this.#filter("-D");
  }

  /** The way between this computer and the machine, from now on; open connections stay. */
  async weather(weather: Weather): Promise<void> {
    await this.#weather?.[Symbol.asyncDispose]();
    this.#weather = undefined;
    this.#weather = await makeWeather(this.#made, weather);
  }

  /** A fast, faithful and open way again. */
  async calm(): Promise<void> {
    await this.#weather?.[Symbol.asyncDispose]();
    this.#weather = undefined;
    if (this.#isCutOff) await this.reconnect();
  }

  /** Nothing can be written any more where tasks write. Needs `diskMb`. */
  async fillDisk(): Promise<void> {
    if (this.#options.diskMb === undefined) throw new Error("only a machine with diskMb has a disk that can be full");
    const fill = DISKS.map((dir) => `dd if=/dev/zero of=${dir}/.full bs=64k status=none`).join("; ");
    await this.exec("sh", "-c", `{ ${fill}; } 2>/dev/null || true`);
  }

  async freeDisk(): Promise<void> {
    await this.exec("rm", "-f", ...DISKS.map((dir) => `${dir}/.full`));
  }

  /** Puts another machine with another host key at the same address. */
  async replace(): Promise<void> {
    await this.calm();
    await this.remove();
    this.#made = await make(this.#authorized, this.#options, this.address);
  }

  /** As if it had never been. */
  async remove(): Promise<void> {
    await docker("rm", "--force", "--volumes", this.name);
  }

  async #filter(action: "-I" | "-D"): Promise<void> {
    const { pid } = this.#made;
    await inNetworkOf(pid, "iptables", "-w", action, "INPUT", "!", "-i", "lo", "-j", "DROP");
    await inNetworkOf(pid, "iptables", "-w", action, "OUTPUT", "!", "-o", "lo", "-j", "DROP");
  }
}

async function make(
  authorized: string,
  { kind = "baked", diskMb, run = [] }: MachineOptions,
  at?: string,
): Promise<Made> {
  const [image, hostKey] = await Promise.all([imageOf(kind), newKeyPair()]);
  const name = `skyward-rig-${randomBytes(6).toString("hex")}`;
  const disks = diskMb === undefined ? [] : DISKS.flatMap((dir) => ["--tmpfs", `${dir}:exec,size=${diskMb}m`]);
  const place = ["--network", NETWORK, ...(at === undefined ? [] : ["--ip", at])];
  const keys = ["--env", `HOST_KEY=${hostKey.privateKey}`, "--env", `AUTHORIZED_KEY=${authorized}`];
  const label = ["--label", `${OWNER_LABEL}=${owner}`];
  await docker("run", "--detach", "--init", "--name", name, ...label, ...place, ...disks, ...keys, ...run, image);
  const format = `{{.State.Pid}} {{(index .NetworkSettings.Networks "${NETWORK}").IPAddress}}`;
  const [pid = "", address = ""] = (await docker("inspect", "--format", format, name)).split(" ");
  await greets(address).catch(async (cause: unknown) => {
    const said = await docker("logs", "--tail", "20", name).catch(String);
    await docker("rm", "--force", "--volumes", name);
    throw new Error(`${name} does not greet: ${String(cause)}\n${said}`, { cause });
  });
  return { name, address, pid: Number(pid), hostKey: hostKey.publicKey };
}

/** Resolves when an sshd answers there. */
async function greets(address: string): Promise<void> {
  const until = performance.now() + GREETING_LIMIT_MS;
  for (;;) {
    const socket = connect(22, address);
    try {
      await once(socket, "data");
      return;
    } catch (error) {
      if (performance.now() > until) throw error;
      await sleep(20);
    } finally {
      socket.destroy();
    }
  }
}
