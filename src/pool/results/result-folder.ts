import { chmodSync, mkdirSync, statSync } from "node:fs";
import { lstat, readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { SkyError } from "../../errors/sky-error.ts";
import { cacheHome } from "../../function/cache/cache-home.ts";
import type { ResolvedCache } from "../../function/cache-rule.ts";
import { isOurs } from "../../function/cache/disk-cache.ts";
import { messageOf } from "../message-of.ts";
import { Series } from "./series.ts";

/** What a trim leaves, so that it is not done again at once. */
const LEFT = 0.8;

/** A folder of series that is this user's alone, kept within its room. */
export class ResultFolder {
  readonly #path: string;
  readonly #rule: ResolvedCache;
  readonly #series = new Map<string, Promise<Series>>();
  readonly #open = new Set<Series>();
  /** Bytes written since the last look at the whole. */
  #added = 0;
  #trimming: Promise<void> | undefined;

  /** @throws SkyError SKY_CACHE_FAILED where it can't be used */
  constructor(rule: ResolvedCache) {
    this.#rule = rule;
    this.#path = rule.dir ?? join(cacheHome(process.env), "skyward", "results");
    try {
      mkdirSync(this.#path, { recursive: true, mode: 0o700 });
      const stats = statSync(this.#path);
      if (!isOurs(stats))
        throw new SkyError(
          "SKY_CACHE_FAILED",
          `${this.#path}, where results are to be kept, ${stats.uid === process.getuid?.() ? "can be written by others" : "is another user's"}`,
        );
      if ((stats.mode & 0o077) !== 0) chmodSync(this.#path, 0o700);
    } catch (error) {
      if (error instanceof SkyError) throw error;
      throw new SkyError("SKY_CACHE_FAILED", `results can't be kept in ${this.#path}: ${messageOf(error)}`, {
        cause: error,
      });
    }
    this.#trimSoon();
  }

  /** The results under a name of hex digits. @throws SkyError SKY_CACHE_FAILED */
  series(name: string): Promise<Series> {
    let series = this.#series.get(name);
    if (!series) {
      series = Series.open(join(this.#path, name), this.#rule.ttlMs).catch((error: unknown) => {
        this.#series.delete(name);
        throw new SkyError("SKY_CACHE_FAILED", `results in ${this.#path} can't be read: ${messageOf(error)}`, {
          cause: error,
        });
      });
      void series.then((one) => this.#open.add(one)).catch(() => undefined);
      this.#series.set(name, series);
    }
    return series;
  }

  /** Something was written. */
  added(bytes: number): void {
    this.#added += bytes;
    if (this.#added > this.#rule.maxBytes / 8) this.#trimSoon();
  }

  async close(): Promise<void> {
    for (const series of this.#open) series.close();
    this.#series.clear();
    await this.#trimming;
  }

  #trimSoon(): void {
    this.#added = 0;
    this.#trimming ??= trim(this.#path, this.#rule.maxBytes)
      .catch(() => undefined)
      .finally(() => (this.#trimming = undefined));
  }
}

/** Takes away the files that were used least recently, and folders that are empty. */
async function trim(folder: string, maxBytes: number): Promise<void> {
  const files: { readonly path: string; readonly bytes: number; readonly usedMs: number }[] = [];
  for (const name of await readdir(folder)) {
    const series = join(folder, name);
    const names = await readdir(series).catch(() => []);
    for (const file of names) {
      const path = join(series, file);
      const stats = await lstat(path).catch(() => undefined);
      if (stats?.isFile()) files.push({ path, bytes: stats.size, usedMs: stats.mtimeMs });
    }
  }
  let bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  if (bytes <= maxBytes) return;
  files.sort((a, b) => a.usedMs - b.usedMs);
  for (const file of files) {
    if (bytes <= maxBytes * LEFT) break;
    await rm(file.path, { force: true });
    bytes -= file.bytes;
    // Where others lie in it still, it stays.
    await rmdir(join(file.path, "..")).catch(() => undefined);
  }
}
