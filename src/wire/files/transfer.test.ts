import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, expect, it } from "vitest";
import { entriesOf } from "./entries.ts";
import { channelOf, receiveFiles, sendFiles } from "./transfer.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "sky-transfer-"));
  writeFileSync(join(dir, "a"), "content");
});
afterEach(() => rmSync(dir, { recursive: true }));

it("a file that can't be read is told before anything of it is announced", async () => {
  const entries = await entriesOf(dir);
  rmSync(join(dir, "a"));
  const [there, back] = [new PassThrough(), new PassThrough()];
  back.write("[]\n");
  await expect(sendFiles(channelOf(back, there), dir, entries)).rejects.toThrow(/ENOENT/);
  expect(String(there.read()).split("\n").slice(1)).toEqual(['{"of":7}', ""]);
});

it("a sender ends as soon as the receiver can't go on", async () => {
  writeFileSync(join(dir, "a"), Buffer.alloc(3_000_000));
  const [there, back] = [new PassThrough(), new PassThrough()];
  back.write('[]\n{"error":"ENOSPC: no space left on device"}\n');
  // Nobody reads what it sends.
  await expect(sendFiles(channelOf(back, there), dir, await entriesOf(dir))).rejects.toThrow(/ENOSPC/);
});

it("a receiver refuses paths that lead out of its folder", async () => {
  const [there, back] = [new PassThrough(), new PassThrough()];
  there.write('[{"type":"file","path":"../b","size":1,"mode":420}]\n');
  await expect(receiveFiles(channelOf(there, back), () => dir)).rejects.toThrow(/outside the folder/);
});
