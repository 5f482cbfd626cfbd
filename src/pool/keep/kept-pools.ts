import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { KeptMachine } from "../../providers/provider.ts";

/** The machines that a pool left behind for the next run of its name. With the keys to them, so for this user alone. */
export interface KeptPool {
  readonly v: 1;
  readonly pool: string;
  /** ms since the epoch. */
  readonly keptAt: number;
  /** When the machines end by themselves. */
  readonly untilMs: number;
  readonly machines: readonly KeptMachine[];
}

export interface KeptFile extends KeptPool {
  readonly file: string;
}

const folderOf = (dir: string): string => join(dir, "kept");

/** Whole or not at all. */
export async function writeKept(dir: string, kept: Omit<KeptPool, "v">): Promise<void> {
  const folder = folderOf(dir);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, `${kept.pool}.${randomBytes(4).toString("hex")}.json`);
  await writeFile(`${file}.new`, JSON.stringify({ v: 1, ...kept }), { mode: 0o600, flush: true });
  await rename(`${file}.new`, file);
}

/** What waits for a next run, the newest first. Files whose machines have ended are removed. */
export async function readKept(dir: string, now: number): Promise<KeptFile[]> {
  const folder = folderOf(dir);
  const names = await readdir(folder).catch(() => [] as string[]);
  const read = await Promise.all(names.map((name) => readOne(join(folder, name), now)));
  return read.flat().sort((a, b) => b.keptAt - a.keptAt);
}

/** Of several runs that want the same machines one gets them. */
export async function claimKept({ file }: KeptFile): Promise<boolean> {
  const mine = `${file}.${process.pid}.claimed`;
  try {
    await rename(file, mine);
  } catch {
    return false;
  }
  await rm(mine, { force: true });
  return true;
}

async function readOne(file: string, now: number): Promise<KeptFile[]> {
  try {
    const kept = JSON.parse(await readFile(file, "utf8")) as KeptPool;
    if (kept.untilMs > now && kept.v === 1) return file.endsWith(".json") ? [{ ...kept, file }] : [];
    await rm(file, { force: true });
  } catch {
    // Somebody claims it just now, or is writing it.
  }
  return [];
}
