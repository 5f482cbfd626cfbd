import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { docker, here, inNetworkOf } from "./docker.ts";
import { HERE } from "./network.ts";

/** What lies between this computer and a machine. */
export interface Weather {
  /** How long each packet is held, each way, in ms. @default 0 */
  readonly delayMs?: number;
  /** In Mbit/s, each way. @default as fast as it goes */
  readonly rateMbit?: number;
  /** The part of the packets that is lost, each way, from 0 to 1. @default 0 */
  readonly loss?: number;
}

export interface Site {
  readonly name: string;
  readonly address: string;
  readonly pid: number;
}

const DELAY = join(import.meta.dirname, "delay.py");

/** Makes it so; disposing it makes it calm. */
export async function makeWeather(site: Site, { delayMs = 0, rateMbit, loss = 0 }: Weather): Promise<AsyncDisposable> {
  const undo: (() => Promise<unknown>)[] = [];
  const calm = async (): Promise<void> => {
    // A machine that has gone took its side along.
    for (const one of undo.reverse()) await one().catch(() => undefined);
  };
  try {
    const devices = delayMs > 0 ? await delay(site, delayMs, undo) : { here: await hostDevice(site), there: "eth0" };
    if (rateMbit !== undefined) await limit(site, devices, rateMbit, undo);
    if (loss > 0) await lose(site, loss, undo);
  } catch (error) {
    await calm();
    throw error;
  }
  return { [Symbol.asyncDispose]: calm };
}

type Undo = (() => Promise<unknown>)[];

interface Devices {
  readonly here: string;
  readonly there: string;
}

async function delay({ address, pid }: Site, delayMs: number, undo: Undo): Promise<Devices> {
  const relay = spawn("/usr/bin/python3", [DELAY, String(pid), String(delayMs), HERE, address], { stdio: "pipe" });
  const closed = once(relay, "close");
  let errors = "";
  relay.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  relay.stdin.on("error", () => undefined);
  undo.push(async () => {
    relay.stdin.end();
    await closed;
  });
  for await (const line of createInterface({ input: relay.stdout })) {
    const [word, ours = "", theirs = ""] = line.split(" ");
    if (word === "ready") return { here: ours, there: theirs };
  }
  throw new Error(`packets can't be held: ${errors.trim()}`);
}

async function limit({ pid }: Site, devices: Devices, rateMbit: number, undo: Undo): Promise<void> {
  const rule = ["root", "tbf", "rate", `${rateMbit}mbit`, "burst", "32kbit", "latency", "50ms"];
  undo.push(() => inNetworkOf(pid, "tc", "qdisc", "del", "dev", devices.there, "root"));
  await inNetworkOf(pid, "tc", "qdisc", "replace", "dev", devices.there, ...rule);
  undo.push(() => here("tc", "qdisc", "del", "dev", devices.here, "root"));
  await here("tc", "qdisc", "replace", "dev", devices.here, ...rule);
}

async function lose({ pid }: Site, loss: number, undo: Undo): Promise<void> {
  for (const chain of ["INPUT", "OUTPUT"]) {
    const rule = ["-m", "statistic", "--mode", "random", "--probability", String(loss), "-j", "DROP"];
    undo.push(() => inNetworkOf(pid, "iptables", "-w", "-D", chain, ...rule));
    await inNetworkOf(pid, "iptables", "-w", "-A", chain, ...rule);
  }
}

/** This computer's end of a container's cable. */
async function hostDevice({ name }: Site): Promise<string> {
  const index = await docker("exec", name, "cat", "/sys/class/net/eth0/iflink");
  for (const device of await readdir("/sys/class/net")) {
    const own = await readFile(`/sys/class/net/${device}/ifindex`, "utf8").catch(() => "");
    if (own.trim() === index.trim()) return device;
  }
  throw new Error(`${name}: its cable has no end here`);
}
