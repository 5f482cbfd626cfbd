import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { ownCache } from "../../agent/own-cache.ts";
import { SkyError } from "../../errors/sky-error.ts";
import type { MirroredNode } from "../../image/node-choice.ts";
import type { PinnedNode } from "../../image/pinned-nodes.ts";
import type { CachedFile, UploadSource } from "../../ssh/upload.ts";

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

/** A Node of a mirror as it lies on machines: fetched once, checked by the mirror's sum. */
export async function mirroredNode(node: MirroredNode): Promise<{ file: CachedFile; source: UploadSource }> {
  const folder = join(ownCache(), `node-${node.archiveSha256.slice(0, 16)}`);
  const path = join(folder, "node");
  if (!existsSync(path)) {
    await mkdir(folder, { recursive: true });
    const work = await mkdtemp(join(folder, ".fetch-"));
    try {
      const archive = join(work, "node.tar.gz");
      const response = await fetch(node.url);
      if (!response.ok || response.body === null) throw new Error(`status ${response.status}`);
      await pipeline(response.body, createWriteStream(archive));
      if ((await hashOf(archive, "sha256", "hex")) !== node.archiveSha256)
        throw new Error("its checksum is not the one in SHASUMS256.txt");
      await promisify(execFile)("tar", ["-xzf", archive, "-C", work, `${node.top}/bin/node`]);
      await rename(join(work, node.top, "bin/node"), path);
    } catch (cause) {
      throw new SkyError("SKY_AGENT_FAILED", `${node.url} can't be fetched: ${(cause as Error).message}`, { cause });
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
  const { kind, executable, archiveSha256: key } = node;
  const [sha256, { size }] = await Promise.all([hashOf(path, "sha256", "hex"), stat(path)]);
  return {
    file: { kind, file: "node", executable, sha256, size, key },
    source: { open: () => createReadStream(path) },
  };
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
  const cache = ownCache();
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
