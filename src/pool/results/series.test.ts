import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ResultFolder } from "./result-folder.ts";
import { Series } from "./series.ts";

let dir: string;
const open: Series[] = [];
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "sky-series-"))));
afterEach(() => {
  for (const series of open.splice(0)) series.close();
  rmSync(dir, { recursive: true });
});

async function opened(ttlMs = Infinity): Promise<Series> {
  const series = await Series.open(dir, ttlMs);
  open.push(series);
  return series;
}
const key = (n: number): string => String(n).padStart(16, "0");
const kept = (n: number, size = 10) => ({ key: key(n), bytes: Buffer.alloc(size, n) });
const names = (): string[] => readdirSync(dir).sort();

describe("Series", () => {
  it("gives back what was added, here and in the next process", async () => {
    const first = await opened();
    expect(first.get(key(1))).toBeUndefined();
    first.add([kept(1), { key: key(2), bytes: Buffer.alloc(0) }]);
    first.add([kept(3, 3_000_000)]);
    for (const series of [first, await opened()]) {
      expect(series.get(key(1))).toEqual(Buffer.alloc(10, 1));
      expect(series.get(key(2))).toEqual(Buffer.alloc(0));
      expect(series.get(key(3))!.equals(Buffer.alloc(3_000_000, 3))).toBe(true);
      expect(series.get(key(4))).toBeUndefined();
    }
  });

  it("loses a write that was cut off, at whatever byte, and nothing before it", async () => {
    const first = await opened();
    first.add([kept(1)]);
    const [name] = names();
    const path = join(dir, name!);
    const whole = statSync(path).size;
    first.add([kept(2)]);
    const all = readFileSync(path);
    for (let size = whole; size < all.length; size++) {
      writeFileSync(path, all.subarray(0, size));
      const next = await opened();
      expect([next.get(key(1))?.length, next.get(key(2))]).toEqual([10, undefined]);
    }
  });

  it("does not believe a byte that is another one", async () => {
    (await opened()).add([kept(1, 100)]);
    const path = join(dir, names()[0]!);
    const good = readFileSync(path);
    for (let at = 0; at < good.length; at++) {
      const bad = Buffer.from(good);
      bad[at]! ^= 0x10;
      writeFileSync(path, bad);
      expect((await opened()).get(key(1))).toBeUndefined();
    }
  });

  it("makes one file of many, while another process writes on", async () => {
    const writer = await opened();
    writer.add([kept(100)]);
    for (let n = 0; n < 20; n++) (await Series.open(dir, Infinity)).add([kept(n)]);
    const merged = await opened();
    expect(names().length).toBeLessThan(8);
    expect(names().every((name) => name.endsWith(".results"))).toBe(true);
    writer.add([kept(101)]);
    const last = await opened();
    for (let n = 0; n < 20; n++) expect(last.get(key(n))).toEqual(Buffer.alloc(10, n));
    for (const series of [last, writer]) expect(series.get(key(101))).toEqual(Buffer.alloc(10, 101));
    expect(merged.get(key(100))).toEqual(Buffer.alloc(10, 100));
  });

  it("forgets what is too old, also where it was made one file with others", async () => {
    for (let n = 0; n < 20; n++) (await Series.open(dir, Infinity)).add([kept(n)]);
    const series = await opened(60_000);
    expect(series.get(key(3), Date.now() + 59_000)).toBeDefined();
    expect((await opened(60_000)).get(key(3), Date.now() + 61_000)).toBeUndefined();
  });

  it("misses what somebody took away", async () => {
    (await opened()).add([kept(1)]);
    const later = await opened();
    for (const name of names()) rmSync(join(dir, name));
    expect(later.get(key(1))).toBeUndefined();
    later.add([kept(1)]);
    expect((await opened()).get(key(1))).toBeDefined();
    truncateSync(join(dir, names()[0]!), 20);
  });
});

describe("ResultFolder", () => {
  it("stays within its room: what was used least recently goes first", async () => {
    const rule = { dir, ttlMs: Infinity, maxBytes: 1_000_000 };
    for (let n = 0; n < 30; n++) {
      const folder = new ResultFolder(rule);
      const series = await folder.series(String(n).padStart(64, "0"));
      folder.added(series.add([kept(n, 100_000)]));
      await folder.close();
    }
    const last = new ResultFolder(rule);
    await last.close();
    const left = names();
    expect(left.length).toBeLessThan(12);
    expect(left).toContain("29".padStart(64, "0"));
    expect(left).not.toContain("0".padStart(64, "0"));
  });
});
