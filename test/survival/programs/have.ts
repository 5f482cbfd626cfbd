// A node's host is replaced: the files that are there whole are not sent again, those that were spoilt are.
import assert from "node:assert/strict";
import { parse } from "acorn";
import * as sky from "skyward";

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const count = sky.fn((code: string) => parse(code, { ecmaVersion: 2020 }).body.length);
const fall = sky.fn(() => void process.kill(process.pid, "SIGKILL"), { rerun: "never" });
/** Spoils every file that has come, and falls. */
const spoil = sky.fn(
  async () => {
    const { chmodSync, readdirSync, writeFileSync } = await import("node:fs");
    const blobs = `${process.env["SKYWARD_RUN"]}/blobs`;
    for (const name of readdirSync(blobs)) {
      chmodSync(`${blobs}/${name}`, 0o600);
      writeFileSync(`${blobs}/${name}`, "spoilt");
    }
    process.kill(process.pid, "SIGKILL");
  },
  { rerun: "never" },
);

await sky.compute({ console: "silent" }, async (pool) => {
  const sent = (): number => pool.stats()[0]!.bytesSent;
  assert.equal(await pool.run(count("1; 2")), 2);
  const first = sent();
  assert.ok(first > 20_000, `${first} bytes`);
  await assert.rejects(async () => pool.run(fall()));
  assert.equal(await pool.run(count("1; 2; 3")), 3);
  assert.ok(sent() < 10_000, `${sent()} bytes after ${first}`);
  say("ok what is there is not sent again");
  await assert.rejects(async () => pool.run(spoil()));
  assert.equal(await pool.run(count("1; 2; 3; 4")), 4);
  assert.ok(sent() > 20_000, `${sent()} bytes`);
  say("ok what was spoilt is");
});
say("done");
