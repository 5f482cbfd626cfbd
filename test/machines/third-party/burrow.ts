/**
 * A provider as a third person writes it, from docs/providers.md alone: its machines are processes of this computer with
 * a /run, a /tmp, a home and process numbers of their own, each with an sshd. Needs Linux, root and util-linux.
 */
import { spawn } from "node:child_process";
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import * as sky from "skyward";

/** First boot to end: the lease from the first second on, keys in memory, one sshd. */
const BOOT = `set -e
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=700 tmpfs /root
mkdir /root/.cache
mount --bind "$CACHE" /root/.cache
mkdir -p -m 700 /run/skyward; mkdir -m 755 /run/sshd
uptime() { read -r up _ </proc/uptime; echo "\${up%%.*}"; }
[ "$TTL" = 0 ] || echo $(($(uptime) + TTL)) >/run/skyward/lease
umask 077
echo "$HOST_KEY" >/run/host_key; echo "$AUTHORIZED_KEY" >/run/authorized_keys
mount -t tmpfs -o mode=1777 tmpfs /tmp
env -i PATH="$PATH" /usr/sbin/sshd -D -p "$PORT" -h /run/host_key -o ListenAddress=127.0.0.1 -o PidFile=none \\
  -o AuthorizedKeysFile=/run/authorized_keys -o UsePAM=no -o PasswordAuthentication=no -o MaxStartups=200 \\
  -o MaxSessions=200 -f /dev/null &
while sleep 0.5; do
  read -r end 2>/dev/null </run/skyward/lease || continue
  [ "$(uptime)" -lt "$end" ] || exit 0
done`;

interface Kept {
  readonly name: string;
  readonly tags: sky.Tags;
  readonly port: number;
  readonly createdAt: number;
  readonly pid: number;
}

export interface BurrowOptions {
  /** Where it keeps what it knows of its machines. */
  readonly dir: string;
}

export function burrow({ dir }: BurrowOptions): sky.CloudProvider<string> {
  const fileOf = (name: string): string => join(dir, `${name}.json`);

  async function describe(name: string): Promise<sky.Instance | undefined> {
    const text = await readFile(fileOf(name), "utf8").catch(() => "");
    if (text === "") return undefined;
    const { pid, port, tags, createdAt } = JSON.parse(text) as Kept;
    const words = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (!words.includes(name)) {
      await rm(fileOf(name), { force: true });
      return undefined;
    }
    return { id: name, name, tags, createdAt, state: "running", login: { host: "127.0.0.1", port, user: "root" } };
  }

  return {
    name: "burrow",
    trust: "ours",
    selfEnd: "os",
    reference: { name: "burrow", options: { dir } },

    async *offers() {
      yield await Promise.resolve({ id: "burrow", vcpus: 1, memoryGb: 1, price: 0 });
    },

    async prepare({ authorizedKey }) {
      await mkdir(join(dir, "cache"), { recursive: true });
      return authorizedKey;
    },

    async provision(intent, authorizedKey) {
      const { name, tags, ttlS, hostKey } = intent;
      // Who makes this file makes the machine; whoever comes later finds it.
      const mine = await open(`${fileOf(name)}.lock`, "wx").catch(() => undefined);
      await mine?.close();
      for (let tries = 0; !mine && tries < 50; tries++) {
        const there = await describe(name);
        if (there) return there;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      if (!mine) throw new sky.SkyError("SKY_PROVIDER_FAILED", `${name} was begun, and is not there`);
      const port = await freePort();
      const keys = { HOST_KEY: hostKey.privateKey, AUTHORIZED_KEY: authorizedKey };
      const own = { PORT: String(port), TTL: String(ttlS), CACHE: join(dir, "cache"), PATH: process.env["PATH"] };
      const words = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "/bin/sh", "-c", BOOT, name];
      const child = spawn("unshare", words, { detached: true, stdio: "ignore", env: { ...own, ...keys } });
      child.unref();
      const kept: Kept = { name, tags, port, createdAt: Date.now(), pid: child.pid! };
      await writeFile(`${fileOf(name)}.new`, JSON.stringify(kept));
      await rename(`${fileOf(name)}.new`, fileOf(name));
      return (await describe(name)) ?? { id: name, name, tags, createdAt: kept.createdAt, state: "ending" };
    },

    async list(owner) {
      const names = (await readdir(dir).catch(() => [])).filter((name) => name.endsWith(".json"));
      const all = await Promise.all(names.map((name) => describe(name.slice(0, -".json".length))));
      return all.filter((one) => one !== undefined).filter(({ tags }) => tags.owner === owner);
    },

    describe,

    async terminate(name) {
      const text = await readFile(fileOf(name), "utf8").catch(() => "");
      if (text === "" || !(await describe(name))) return;
      process.kill((JSON.parse(text) as Kept).pid, "SIGKILL");
    },

    async teardown() {
      // The cache stays, for the next pool.
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { readonly port: number };
      server.close(() => resolve(port));
    });
  });
}
