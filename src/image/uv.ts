import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { ownCache } from "../agent/own-cache.ts";
import { SkyError } from "../errors/sky-error.ts";
import { zipEntry } from "./zip-entry.ts";

/** A program for the cache of a machine. */
export interface PinnedProgram {
  readonly kind: "uv";
  readonly file: "uv";
  readonly executable: true;
  /** Of the program itself. */
  readonly sha256: string;
  /** In bytes. */
  readonly size: number;
}

interface PinnedUv extends PinnedProgram {
  readonly wheel: string;
  readonly wheelSha256: string;
}

const VERSION = "0.13.9";
const program = { kind: "uv", file: "uv", executable: true } as const;

// Linked statically: they run on any Linux.
const X64: PinnedUv = {
  ...program,
  wheel: `uv-${VERSION}-py3-none-musllinux_1_1_x86_64.whl`,
  wheelSha256: "2c45530751517d6c3bbc69a19473f6effe47cce047bede01ffd8af7ea7b36b25",
  sha256: "edbfb9a3d00dc84148e6691cd8740781fdc32db6505d7ef88ba6c3e569d5bec9",
  size: 44_198_984,
};
const ARM64: PinnedUv = {
  ...program,
  wheel: `uv-${VERSION}-py3-none-manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64.whl`,
  wheelSha256: "5435c5ce14a56431208ca0996416d310f1598e8c2c8ba707688985a16bb82dbe",
  sha256: "bbecb5ac518030bb5e84f1999c577228460192832ac24a92bd772735682979f4",
  size: 35_584_104,
};

/** The uv that a machine without one gets, by "system/architecture" as uname says it. */
export const PINNED_UVS: ReadonlyMap<string, PinnedUv> = new Map([
  ["Linux/x86_64", X64],
  ["Linux/amd64", X64],
  ["Linux/aarch64", ARM64],
  ["Linux/arm64", ARM64],
]);

/** Where a machine keeps it, below its cache. */
export function uvPlace({ sha256 }: PinnedProgram): string {
  return `uv-${sha256.slice(0, 16)}/uv`;
}

/**
 * The file here that holds uv for a machine: fetched once from the index of Python packages that pip and uv are told of
 * here, and checked.
 * @throws SkyError SKY_BOOTSTRAP_FAILED
 */
export async function uvFile(system: string): Promise<{ readonly uv: PinnedUv; readonly path: string }> {
  const uv = PINNED_UVS.get(system);
  if (uv === undefined) throw failed(`there is no uv to send to ${system}`);
  const path = ownCache(uvPlace(uv));
  if (existsSync(path) && hashOf(readFileSync(path)) === uv.sha256) return { uv, path };
  const index = process.env["UV_DEFAULT_INDEX"] ?? process.env["PIP_INDEX_URL"] ?? "https://pypi.org/simple";
  try {
    const wheel = await fetchWheel(new URL(`${index.replace(/\/+$/, "")}/uv/`), uv);
    const bytes = zipEntry(wheel, `uv-${VERSION}.data/scripts/uv`);
    if (hashOf(bytes) !== uv.sha256) throw new Error("what is in it is not what was pinned");
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const part = `${path}.${process.pid}`;
    await writeFile(part, bytes, { mode: 0o700 });
    await rename(part, path);
  } catch (cause) {
    const why = ((cause as Error).cause as Error | undefined)?.message ?? (cause as Error).message;
    throw failed(`uv ${VERSION} can't be fetched from ${new URL(index).host}: ${why}`, cause);
  }
  return { uv, path };
}

/** From an index of the simple kind: a page of links. */
async function fetchWheel(page: URL, { wheel, wheelSha256 }: PinnedUv): Promise<Buffer> {
  const text = (await get(page)).toString();
  const link = [...text.matchAll(/href="([^"]+)"/g)].map(([, href]) => href!.replaceAll("&amp;", "&"));
  const found = link.map((href) => new URL(href, page)).find(({ pathname }) => pathname.endsWith(`/${wheel}`));
  if (found === undefined) throw new Error(`it has no ${wheel}`);
  const bytes = await get(found);
  if (hashOf(bytes) !== wheelSha256) throw new Error(`the checksum of ${wheel} is not the pinned one`);
  return bytes;
}

async function get(url: URL): Promise<Buffer> {
  const { username, password } = url;
  const plain = new URL(url);
  plain.username = plain.password = "";
  const login = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString("base64");
  const response = await fetch(plain, username === "" ? {} : { headers: { authorization: `Basic ${login}` } });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

function hashOf(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function failed(message: string, cause?: unknown): SkyError {
  return new SkyError("SKY_BOOTSTRAP_FAILED", `a machine needs uv for its Python, and ${message}`, {
    cause,
    hint: "Install uv on the machine (pip install uv), or name an index that has it in PIP_INDEX_URL.",
  });
}
