import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Transform } from "node:stream";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { entriesOf } from "../../wire/files/entries.ts";
import { hashed, sendSync } from "../../wire/files/sync.ts";
import { channelOf } from "../../wire/files/transfer.ts";
import { KeptFiles } from "./kept-files.ts";
import { syncFiles } from "./sync-files.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "sky-sync-"));
  vi.stubEnv("XDG_CACHE_HOME", join(dir, "cache"));
  mkdirSync(join(dir, "home/below"), { recursive: true });
  writeFileSync(join(dir, "home/below/large.bin"), large);
  writeFileSync(join(dir, "home/run.sh"), "true", { mode: 0o755 });
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(dir, { recursive: true });
});

const large = Buffer.alloc(1_000_000, "0123456789");
const kept = (): string[] => readdirSync(join(dir, "cache/skyward/files")).sort();

/** Syncs the folder into another. @param limit the link is cut when so many bytes have come */
async function sync(to: string, limit = Infinity): Promise<number> {
  const home = join(dir, "home");
  const entries = await hashed(home, await entriesOf(home));
  let came = 0;
  const out = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      came += chunk.length;
      if (came > limit) this.destroy();
      else done(null, chunk);
    },
  });
  const back = new PassThrough();
  const receiving = syncFiles(channelOf(out, back), join(dir, to), new KeptFiles()).finally(() => back.end());
  const [sent, received] = await Promise.allSettled([sendSync(channelOf(back, out), home, entries), receiving]);
  if (received.status === "rejected") throw received.reason;
  if (sent.status === "rejected") throw sent.reason;
  return sent.value;
}

it("fills a folder, with modes, and sends nothing that is kept", async () => {
  expect(await sync("a")).toBe(large.length + 4);
  expect(readFileSync(join(dir, "a/below/large.bin")).equals(large)).toBe(true);
  expect(statSync(join(dir, "a/run.sh")).mode & 0o777).toBe(0o755);
  writeFileSync(join(dir, "a/run.sh"), "changed by a task");
  expect(await sync("b")).toBe(0);
  expect(readFileSync(join(dir, "b/run.sh"), "utf8")).toBe("true");
});

it("goes on with a copy that was cut", async () => {
  await expect(sync("a", 400_000)).rejects.toThrow(/the other side ended|Premature close/);
  const [part = ""] = kept().filter((name) => name.endsWith(".part"));
  const { size } = statSync(join(dir, "cache/skyward/files", part));
  expect(size).toBeGreaterThan(100_000);
  expect(await sync("a")).toBe(large.length + 4 - size);
  expect(readFileSync(join(dir, "a/below/large.bin")).equals(large)).toBe(true);
  expect(kept().filter((name) => name.endsWith(".part"))).toEqual([]);
});

it("sends again what was damaged on the machine", async () => {
  await sync("a");
  const [name = ""] = kept().filter((one) => statSync(join(dir, "cache/skyward/files", one)).size === 4);
  rmSync(join(dir, "cache/skyward/files", name));
  writeFileSync(join(dir, "cache/skyward/files", name), "evil");
  expect(await sync("b")).toBe(4);
  expect(readFileSync(join(dir, "b/run.sh"), "utf8")).toBe("true");
});

it("names what has no name that can be sent", async () => {
  writeFileSync(Buffer.concat([Buffer.from(`${join(dir, "home")}/caf`), Buffer.from([0xe9])]), "latin");
  await expect(sync("a")).rejects.toThrow(/a name in .*home is not UTF-8: caf/);
});
