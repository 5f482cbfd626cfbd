import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { copyFile, readdir, rename, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname } from "node:path";

const SUFFIX = ".sky-part";
const NAME_MAX_BYTES = 120;
const HERE = hostname()
  .replaceAll(/[^\w.-]/g, "_")
  .slice(0, 60);

/**
 * What has come of files that are not whole yet, each beside the place where the whole is to lie. A part is of one
 * process, which alone writes to it: nodes may share their disk, and copies their goal. Behind a process that has ended
 * the next one goes on with it.
 */
export class Partials {
  /** Of each folder, the parts that lay there when it was first asked for. */
  readonly #folders = new Map<string, Promise<readonly string[]>>();

  pathOf(path: string): string {
    return `${dirname(path)}/${stemOf(path)}${HERE}-${process.pid}${SUFFIX}`;
  }

  /** Makes what an earlier copy has left of a file this process's own part. @returns its size; 0 where there is none */
  async take(path: string, size: number): Promise<number> {
    const own = this.pathOf(path);
    let best: { readonly path: string; readonly size: number; readonly owned: boolean } | undefined;
    for (const name of await this.#partsIn(dirname(path))) {
      if (!name.startsWith(stemOf(path))) continue;
      const found = `${dirname(path)}/${name}`;
      const bytes = (await stat(found).catch(() => undefined))?.size ?? 0;
      const owned = found !== own && isOwned(name.slice(stemOf(path).length, -SUFFIX.length));
      if (bytes > (best?.size ?? 0) && bytes <= size) {
        if (best?.owned === false) await rm(best.path, { force: true });
        best = { path: found, size: bytes, owned };
      } else if (!owned) await rm(found, { force: true });
    }
    if (best === undefined) return 0;
    // Somebody still writes to it: what has come so far is of use to both.
    if (best.owned) await copyFile(best.path, own, constants.COPYFILE_FICLONE);
    else if (best.path !== own) await rename(best.path, own);
    return (await stat(own)).size;
  }

  #partsIn(folder: string): Promise<readonly string[]> {
    let names = this.#folders.get(folder);
    if (names === undefined) {
      names = readdir(folder).then(
        (all) => all.filter((name) => name.endsWith(SUFFIX)),
        () => [],
      );
      this.#folders.set(folder, names);
    }
    return names;
  }
}

/** Names have a limit of 255 bytes. */
function stemOf(path: string): string {
  const name = basename(path);
  if (Buffer.byteLength(name) <= NAME_MAX_BYTES) return `.${name}.`;
  return `.${createHash("sha256").update(name).digest("hex").slice(0, 32)}.`;
}

/** Whether the process lives, as far as can be told from here. */
function isOwned(owner: string): boolean {
  const at = owner.lastIndexOf("-");
  if (owner.slice(0, at) !== HERE) return true;
  try {
    process.kill(Number(owner.slice(at + 1)), 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
