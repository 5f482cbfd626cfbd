// The main job's shape over SSH: `over-ssh.ts work|hold|exit`; SSH is the provider's options as JSON.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import * as sky from "skyward";

const mode = process.argv[2] ?? "work";
const options = JSON.parse(process.env["SSH"]!) as sky.SshProviderOptions;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const add = sky.fn((a: number, b: number) => {
  console.log(`adding ${a} and ${b}`);
  return a + b;
});
const fails = sky.fn((n: number) => {
  throw new RangeError(`no ${n} here`, { cause: new TypeError("the cause") });
});
const where = sky.fn(() => {
  spawn("sleep", ["3001"], { stdio: "ignore", detached: true }).unref();
  spawn("sh", ["-c", "setsid -f sleep 3002"], { stdio: "ignore" });
  return {
    node: sky.instanceInfo().node,
    total: sky.instanceInfo().totalNodes,
    run: process.env["SKYWARD_RUN"],
    version: process.version,
  };
});
const busy = sky.fn(
  () => {
    for (;;) Math.random();
  },
  { timeout: "300ms" },
);
const forever = sky.fn(() => new Promise<never>(() => {}));
const flip = sky.fn((bytes: Uint8Array) => bytes.map((byte) => byte ^ 255));

try {
  await sky.compute(
    { nodes: 2, provider: sky.ssh(options), worker: { concurrency: 2, killGrace: "200ms" }, console: "silent" },
    async (pool) => {
      const lines: string[] = [];
      const phases = new Set<string>();
      void (async () => {
        for await (const event of pool.events) {
          if (event.type === "Log.Emitted") lines.push(event.message);
          if (event.type === "Node.PhaseChanged") phases.add(event.phase);
        }
      })();
      const places = await pool.broadcast(where());
      assert.deepEqual(
        places.map(({ node }) => node),
        [0, 1],
      );
      say(`runs ${places.map(({ run }) => run).join(" ")}`);
      say(`ready ${places[0]!.version}`);
      if (mode === "exit") process.exit(7);
      if (mode === "hold") await pool.run(forever());
      assert.equal(await pool.run(add(2, 3)), 5);
      assert.deepEqual(
        await pool.map(
          (n: number) => n * n,
          Array.from({ length: 2000 }, (_, n) => n),
        ),
        Array.from({ length: 2000 }, (_, n) => n * n),
      );
      say("ok run, map and broadcast");
      while (!lines.includes("adding 2 and 3")) await sleep(5);
      say("ok logs");
      await assert.rejects(pool.run(fails(3)), (error: Error) => {
        assert(
          error instanceof RangeError &&
            error.message === "no 3 here" &&
            (error.cause as Error).message === "the cause",
        );
        assert.match(error.stack!, /over-ssh\.ts:\d+/);
        return true;
      });
      say("ok errors");
      await assert.rejects(pool.run(busy()), (error: sky.SkyError) => error.code === "SKY_TASK_TIMEOUT");
      say("ok timeout");
      const bytes = new Uint8Array(5_000_000).map((_, index) => index % 251);
      assert.deepEqual(
        await pool.run(flip(bytes)),
        bytes.map((byte) => byte ^ 255),
      );
      say("ok large values");
    },
  );
} catch (error) {
  if (!(error instanceof sky.SkyError)) throw error;
  say(`refused ${error.code}: ${error.message}`);
}
say("done");
