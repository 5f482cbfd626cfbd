import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { makeSshdFiles, type SshdFiles } from "./sshd-files.ts";

const RELAY = join(import.meta.dirname, "../../bench/weather/relay.py");
let links = 0;

/** A machine behind a slow link: an sshd in a network namespace of this computer, every packet held on its way. */
export interface DelayLink extends Pick<SshdFiles, "user" | "address" | "port" | "key" | "knownHosts"> {
  /** Takes down the sshd, all that was started through it, the namespace and the devices. */
  close(): Promise<void>;
}

export interface DelayLinkOptions {
  /** How long each packet is held, in milliseconds, each way: a round trip takes twice that. @default 25 */
  readonly delayMs?: number;
}

/** Opens a delay link. Needs root, iproute2, Python 3 and an sshd. */
export async function delayLink({ delayMs = 25 }: DelayLinkOptions = {}): Promise<DelayLink> {
  const index = (process.pid * 8 + links++) % 16_384;
  // A /30 network of its own for each link, so that several can stand side by side.
  const network = `10.213.${Math.floor(index / 64)}`;
  const [here, there] = [1, 2].map((host) => `${network}.${(index % 64) * 4 + host}`) as [string, string];
  const files = await makeSshdFiles(there, 22);
  const name = `sky${process.pid}x${links}`;
  const relay = spawn("/usr/bin/python3", [RELAY, name, String(delayMs), here, there, ...files.command], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  const ended = once(relay, "close");
  const close = async (): Promise<void> => {
    relay.stdin.end();
    await ended;
    await files.remove();
  };
  try {
    await ready(relay);
    await answers(there, 22);
  } catch (error) {
    await close();
    throw error;
  }
  const { user, address, port, key, knownHosts } = files;
  return { user, address, port, key, knownHosts, close };
}

async function ready(relay: ChildProcess): Promise<void> {
  const errors: string[] = [];
  relay.stderr?.on("data", (chunk: Buffer) => errors.push(chunk.toString()));
  if (relay.stdout === null) throw new Error("the relay has no output");
  for await (const line of createInterface({ input: relay.stdout })) if (line === "ready") return;
  throw new Error(`the delay link did not come up: ${errors.join("").trim()}`);
}

/** Resolves when an sshd greets on this address. */
async function answers(address: string, port: number): Promise<void> {
  const until = performance.now() + 10_000;
  for (;;) {
    const socket = connect(port, address);
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
