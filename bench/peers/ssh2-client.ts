import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Client, type ClientChannel } from "ssh2";
import type { SshMachine } from "../ssh-machine.ts";

/** A bare ssh2 client that is logged in, as fast as it goes: what we are built on, without us. */
export async function ssh2Client(machine: SshMachine): Promise<Client> {
  const known = (await readFile(machine.knownHosts, "utf8")).trim().split(" ").at(-1) ?? "";
  const client = new Client();
  const ready = once(client, "ready");
  client.connect({
    host: machine.address,
    port: machine.port,
    username: machine.user,
    privateKey: await readFile(machine.key),
    hostVerifier: (key: Buffer) => key.equals(Buffer.from(known, "base64")),
  });
  await ready;
  client.setNoDelay(true);
  return client;
}

export function ssh2Exec(client: Client, command: string): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => (error ? reject(error) : resolve(channel)));
  });
}

/** Sends this to a command that reads it all, on a connection of its own that is open already. */
export async function ssh2Send(client: Client, command: string, input: Buffer | Readable): Promise<void> {
  const channel = await ssh2Exec(client, command);
  const closed = once(channel, "close");
  channel.resume();
  if (Buffer.isBuffer(input)) channel.end(input);
  else await pipeline(input, channel);
  await closed;
}
