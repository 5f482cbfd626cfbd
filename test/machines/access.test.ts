import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import * as sky from "skyward";
import { Rig } from "../rig/rig.ts";

test("a copy that does not fit on the machine's disk fails in words, and leaves the disk as it was", async () => {
  await using rig = await Rig.start({ diskMb: 40 });
  const here = mkdtempSync(join(tmpdir(), "sky-full-"));
  const large = join(here, "large");
  writeFileSync(large, "");
  truncateSync(large, 80 * 1024 * 1024);
  await using pool = await sky.compute({ provider: sky.ssh(rig.ssh), console: "silent" });
  const failed = await pool.files.upload(large, "/tmp/in/").catch((error: unknown) => error as sky.SkyError);
  expect(failed).toMatchObject({ code: "SKY_FILES_FAILED", retryable: false });
  expect((failed as Error).message).toMatch(/^upload to \/tmp\/in\/ on node 0: ENOSPC/);
  expect((await pool.exec("ls -A /tmp/in", { target: 0 })).stdout).toBe("");
  truncateSync(large, 1024 * 1024);
  expect(await pool.files.upload(large, "/tmp/in/")).toMatchObject([{ files: 1, bytes: 1024 * 1024 }]);
  rmSync(here, { recursive: true });
});

test("a command goes on behind a cut connection, and not behind its pool", async () => {
  await using rig = await Rig.start();
  const provider = sky.ssh(rig.ssh);
  await using pool = await sky.compute({ provider, console: "silent" });
  const running = pool.exec("trap '' TERM HUP; sleep 75; sleep 75", { check: false });
  const sleeping = async (): Promise<boolean> => /sleep 75/.test(await rig.machines[0]!.exec("ps", "ax"));
  await expect.poll(sleeping, { timeout: 10_000 }).toBe(true);
  await rig.machines[0]!.killSshd();
  expect(await running).toMatchObject([{ code: null }]);
  await pool.close();
  await expect.poll(sleeping, { timeout: 10_000 }).toBe(false);
});
