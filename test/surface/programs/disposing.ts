// What sky.once made is disposed with its executor: threads, processes, and processes for one task each.
import assert from "node:assert/strict";
import { once } from "node:events";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as sky from "skyward";
import { point } from "../../support/point.ts";

const dir = mkdtempSync(join(tmpdir(), "sky-disposing-"));
const file = join(dir, "said");
const said = (): string[] => readFileSync(file, "utf8").trim().split("\n");

const first = sky.once(() => ({ [Symbol.dispose]: () => appendFileSync(file, "first\n") }));
const second = sky.once(async () => ({
  async [Symbol.asyncDispose]() {
    await new Promise((resolve) => setTimeout(resolve, 20));
    appendFileSync(file, "second\n");
  },
}));
const unused = sky.once(() => ({ [Symbol.dispose]: () => appendFileSync(file, "unused\n") }));
const uses = sky.fn(async (really: boolean) => {
  if (!really) return void unused();
  first();
  await second();
});
const hangs = sky.once(() => ({ [Symbol.asyncDispose]: () => new Promise<void>(() => {}) }));
const fails = sky.once(() => ({
  [Symbol.dispose]() {
    throw new Error("no way out");
  },
}));

for (const executor of ["thread", "process"] as const) {
  await point(`${executor}: when the pool closes, the newest first`, async () => {
    writeFileSync(file, "");
    await sky.compute({ worker: { executor }, console: "silent" }, (pool) => pool.run(uses(true)));
    assert.deepEqual(said(), ["second", "first"]);
  });
  await point(
    `${executor}: a dispose that hangs or throws keeps no pool open, and the others are disposed`,
    async () => {
      writeFileSync(file, "");
      const both = sky.fn(() => void [hangs(), fails(), first()]);
      await sky.compute({ worker: { executor }, console: "silent" }, (pool) => pool.run(both()));
      assert.deepEqual(said(), ["first"]);
    },
  );
}

await point("a process for one task disposes when the task has ended", async () => {
  writeFileSync(file, "");
  const changes = watch(dir);
  const worker = { executor: "process", reuseProcesses: false } as const;
  await sky.compute({ worker, console: "silent" }, async (pool) => {
    await pool.run(uses(true));
    while (said().length < 2) await once(changes, "change");
  });
  changes.close();
});

rmSync(dir, { recursive: true });
