import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import type * as sky from "skyward";
import { Sshd } from "../../test/support/sshd.ts";
import { elapsed, inTurns, type Case } from "../harness.ts";
import { filled, length } from "../functions.ts";
import { ssh2Client, ssh2Send } from "../peers/ssh2-client.ts";
import { localPool, sshPool } from "../pools.ts";
import { loopback, type SshMachine } from "../ssh-machine.ts";

/** 64 MiB; 256 with LARGE_MB=256, which is what the bars are meant for. */
const BYTES = Number(process.env["LARGE_MB"] ?? 64) * 1024 * 1024;
const GB = 1e9;
const ROUNDS = 3;

const gbPerSecond = (milliseconds: number): number => BYTES / 1e6 / milliseconds;

/** Large arguments, results and shared values: beside a pipe to another process, and beside `cat` over SSH. */
export const large: Case = {
  name: "large",
  async run(report) {
    const values = new Float64Array(BYTES / 8).fill(1);
    const bytes = Buffer.from(values.buffer);
    await using near = await localPool();
    await using sshd = await Sshd.start();
    await using far = await sshPool(loopback(sshd));
    const argument = (pool: sky.Pool) => (): Promise<number> => elapsed(() => pool.run(length(values)));
    const result = (pool: sky.Pool) => (): Promise<number> => elapsed(() => pool.run(filled(BYTES / 8)));
    await Promise.all([near.run(length(values)), far.run(length(values))]);
    const local = await inTurns(
      {
        pipe: () => pipe(bytes),
        copy: () => elapsed(() => copyOf(bytes)),
        hash: () => elapsed(() => createHash("sha256").update(bytes).digest()),
        argument: argument(near),
        result: result(near),
        put: () => elapsed(() => near.put(values).release()),
        use: () => putAndUse(near, values),
      },
      ROUNDS,
    );
    report("a pipe to cat", gbPerSecond(local.pipe), "GB/s");
    report("a copy to fresh memory", gbPerSecond(local.copy), "GB/s");
    report("SHA-256", gbPerSecond(local.hash), "GB/s");
    report("large argument, local", gbPerSecond(local.argument), "GB/s", { atLeast: 1 });
    report("large result, local", gbPerSecond(local.result), "GB/s", { atLeast: 1 });
    report("put, local", gbPerSecond(local.put), "GB/s", { atLeast: 0.5 });
    report("put and first use, local", gbPerSecond(local.use), "GB/s", { atLeast: 0.5 });
    const remote = await inTurns(
      { cat: () => sshCat(loopback(sshd), bytes), argument: argument(far), result: result(far) },
      ROUNDS,
    );
    report("ssh2 exec cat", gbPerSecond(remote.cat), "GB/s");
    report("large argument, ssh", gbPerSecond(remote.argument), "GB/s", { of: gbPerSecond(remote.cat), atLeast: 0.9 });
    report("large result, ssh", gbPerSecond(remote.result), "GB/s", { of: gbPerSecond(remote.cat), atLeast: 0.9 });
  },
};

/** A shared value of 1 GB: what `put` takes by itself, and with its way to a node and into a task. */
export const gigabyte: Case = {
  name: "gigabyte",
  async run(report) {
    const values = new Float64Array(GB / 8).fill(1);
    const bytes = Buffer.from(values.buffer);
    await using near = await localPool();
    await near.run(length(new Float64Array(1)));
    const times = await inTurns(
      {
        copy: () => elapsed(() => copyOf(bytes)),
        put: () => elapsed(() => near.put(values).release()),
        use: () => putAndUse(near, values),
      },
      ROUNDS,
    );
    report("a copy of 1 GB to fresh memory", GB / 1e6 / times.copy, "GB/s");
    report("put of 1 GB", GB / 1e6 / times.put, "GB/s", { atLeast: 0.5 });
    report("put of 1 GB and first use", GB / 1e6 / times.use, "GB/s");
  },
};

function copyOf(bytes: Buffer): void {
  Buffer.allocUnsafeSlow(bytes.length).set(bytes);
}

function putAndUse(pool: sky.Pool, values: Float64Array): Promise<number> {
  return elapsed(async () => {
    using ref = pool.put(values);
    await pool.run(length(ref));
  });
}

/** Milliseconds to write the bytes to a process that throws them away. */
async function pipe(bytes: Buffer): Promise<number> {
  const child = spawn("sh", ["-c", "cat > /dev/null"], { stdio: ["pipe", "ignore", "ignore"] });
  return elapsed(async () => {
    child.stdin.end(bytes);
    await once(child, "exit");
  });
}

async function sshCat(machine: SshMachine, bytes: Buffer): Promise<number> {
  const client = await ssh2Client(machine);
  const took = await elapsed(() => ssh2Send(client, "cat > /dev/null", bytes));
  client.end();
  return took;
}
