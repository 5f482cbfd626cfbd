import { createReadStream } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { elapsed, inTurns, median, type Case } from "../harness.ts";
import { loginOf, rigPool, sshCatFile, withMachines } from "../machines.ts";
import { ssh2Client, ssh2Send } from "../peers/ssh2-client.ts";

const BYTES = 1024 ** 3;
const ROUNDS = 3;
/** What we agree on with any sshd of today; OpenSSH's client is told to do the same. */
const CIPHER = "aes128-gcm@openssh.com";
const THERE = "/tmp/pushed";
const READ_BYTES = 1024 * 1024;

/** 1 GiB from a file here to a file on a machine. Both lie in memory: this is about the way between. */
export const push: Case = {
  name: "push",
  run: (report) =>
    withMachines({ diskMb: 2100 }, async (rig) => {
      const machine = loginOf(rig, rig.machines[0]!);
      const dir = await mkdtemp("/dev/shm/skyward-push-");
      try {
        const file = join(dir, "data");
        await fill(file);
        await using pool = await rigPool(rig, 1, 1);
        const client = await ssh2Client(machine);
        const grown: number[] = [];
        // What is there already would not be sent again.
        const fresh = async (send: () => Promise<unknown>): Promise<number> => {
          await rig.machines[0]!.exec("rm", "-f", THERE);
          return BYTES / 1e6 / (await elapsed(send));
        };
        const rates = await inTurns(
          {
            cat: () =>
              fresh(() => ssh2Send(client, `cat > ${THERE}`, createReadStream(file, { highWaterMark: READ_BYTES }))),
            ssh: () => fresh(() => sshCatFile(machine, CIPHER, file, THERE)),
            ours: () => fresh(async () => grown.push(await growth(() => pool.files.upload(file, THERE)))),
          },
          ROUNDS,
        );
        report("1 GiB to ssh2 exec cat", rates.cat, "GB/s");
        report("1 GiB to ssh host 'cat > file'", rates.ssh, "GB/s");
        report("1 GiB by files.upload", rates.ours, "GB/s", { of: rates.cat, atLeast: 0.95 });
        report("1 GiB by files.upload, to ssh", rates.ours, "GB/s", { of: rates.ssh, atLeast: 0.65 });
        report("1 GiB by files.upload, more memory", median(grown), "MiB", { atMost: 64 });
        client.end();
      } finally {
        await rm(dir, { recursive: true });
      }
    }),
};

async function fill(path: string): Promise<void> {
  const block = Buffer.alloc(READ_BYTES, 7);
  const file = await open(path, "w");
  for (let at = 0; at < BYTES; at += block.length) await file.write(block);
  await file.close();
}

/** MiB by which this process was larger at most while something went on. */
async function growth(work: () => Promise<unknown>): Promise<number> {
  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  let most = before;
  const timer = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 20);
  await work();
  clearInterval(timer);
  return (most - before) / 1024 ** 2;
}
