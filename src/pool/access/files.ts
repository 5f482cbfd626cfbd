import { stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { SkyError } from "../../errors/sky-error.ts";
import { entriesOf } from "../../wire/files/entries.ts";
import { receiveFiles, sendFiles, type Transferred } from "../../wire/files/transfer.ts";
import { checkOptions } from "../call-options.ts";
import { bad } from "../checks.ts";
import { askFiles } from "./ask-files.ts";
import type { Place } from "./exec.ts";

export interface FilesOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface TransferOptions extends FilesOptions {
  /** Bytes that have crossed, of those that must. With several nodes, of all of them. */
  readonly onProgress?: ((progress: { readonly bytes: number; readonly of: number }) => void) | undefined;
  /** Globs that are left out of a folder; one without a slash is for names at any depth. @default [] */
  readonly excludes?: readonly string[] | undefined;
}

export interface FileEntry {
  readonly name: string;
  readonly type: "file" | "folder" | "link" | "other";
  /** In bytes. */
  readonly size: number;
  readonly mode: number;
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number;
}

type Target = "head" | number;

/**
 * Files on the nodes. A path there is absolute, or relative to the home folder. Copies are streamed; one that was cut
 * goes on where it was when it is asked for again; what is there already is not sent.
 */
export class Files {
  readonly #places: (target: Target | "all" | undefined, usual: Target | "all") => readonly Place[];

  /** @internal */
  constructor(places: (target: Target | "all" | undefined, usual: Target | "all") => readonly Place[]) {
    this.#places = places;
  }

  /** What is in a folder, by name; of a file itself. @param target @default "head" */
  async ls(path: string, options: FilesOptions & { readonly target?: Target | undefined } = {}): Promise<FileEntry[]> {
    checkOptions("pool.files.ls", options, ["target", "signal"]);
    const place = this.#places(options.target, "head")[0]!;
    return askFiles(place, { op: "ls", path: checked("ls", path) }, options.signal, async ({ input }) => {
      const said = JSON.parse(await input.line()) as { entries?: FileEntry[]; error?: string };
      if (said.entries === undefined) throw new Error(said.error);
      return said.entries;
    });
  }

  /**
   * Removes a file, or with `recursive` a folder; one that is on none of the nodes is an error: they may share a disk.
   * @param target @default "all"
   */
  async rm(
    path: string,
    options: FilesOptions & { readonly target?: Target | "all" | undefined; readonly recursive?: boolean } = {},
  ): Promise<void> {
    checkOptions("pool.files.rm", options, ["target", "signal", "recursive"]);
    const request = { op: "rm", path: checked("rm", path), recursive: options.recursive ?? false } as const;
    const removals = this.#places(options.target, "all").map((place) =>
      askFiles(place, request, options.signal, async ({ input }) => {
        const said = JSON.parse(await input.line()) as { error?: string };
        if (said.error !== undefined) throw new Error(said.error);
      }),
    );
    const ends = await Promise.allSettled(removals);
    const somewhere = ends.some((end) => end.status === "fulfilled");
    for (const end of ends)
      if (end.status === "rejected" && !(somewhere && /\bENOENT\b/.test((end.reason as Error).message)))
        throw end.reason;
  }

  /**
   * Copies a file or folder of this computer to nodes. A folder's content comes to lie in `remote`; a file in it, where
   * that is a folder or ends with "/". @param target @default "all"
   */
  async upload(
    local: string,
    remote: string,
    options: TransferOptions & { readonly target?: Target | "all" | undefined } = {},
  ): Promise<Transferred[]> {
    checkTransfer("upload", options);
    const root = resolve(checked("upload", local));
    const path = checked("upload", remote);
    const entries = await entriesOf(root, options.excludes).catch((cause: unknown) => {
      throw new SkyError("SKY_BAD_CALL", `upload: ${local} can't be read: ${(cause as Error).message}`, { cause });
    });
    const name = entries[0]?.type === "file" ? basename(root) : undefined;
    const request = { op: "receive", path, name } as const;
    const progress = sumOf(options.onProgress);
    // Nodes of one host have one disk: what the first has brought the others find there.
    const before = new Map<string, Promise<unknown>>();
    const copies = this.#places(options.target, "all").map((place) => {
      const report = progress();
      const copy = (before.get(place.machine.host) ?? Promise.resolve()).then(() =>
        askFiles(place, request, options.signal, (channel) => sendFiles(channel, root, entries, report)),
      );
      before.set(
        place.machine.host,
        copy.catch(() => undefined),
      );
      return copy;
    });
    return Promise.all(copies);
  }

  /** Copies a file or folder of a node to this computer, as `upload` does there. @param target @default "head" */
  async download(
    remote: string,
    local: string,
    options: TransferOptions & { readonly target?: Target | undefined } = {},
  ): Promise<Transferred> {
    checkTransfer("download", options);
    const path = checked("download", remote);
    const at = resolve(checked("download", local));
    const place = this.#places(options.target, "head")[0]!;
    const isFolder = local.endsWith("/") || ((await stat(at).catch(() => undefined))?.isDirectory() ?? false);
    const request = { op: "send", path, excludes: options.excludes ?? [] } as const;
    return askFiles(place, request, options.signal, (channel) =>
      receiveFiles(
        channel,
        (entries) => (isFolder && entries[0]?.type === "file" ? join(at, basename(path)) : at),
        sumOf(options.onProgress)(),
      ),
    );
  }
}

function checkTransfer(method: string, options: TransferOptions): void {
  checkOptions(`pool.files.${method}`, options, ["target", "signal", "onProgress", "excludes"]);
  const { excludes, onProgress } = options as Partial<Record<string, unknown>>;
  if (excludes !== undefined && !(Array.isArray(excludes) && excludes.every((glob) => typeof glob === "string")))
    throw bad("excludes", 'a list of globs such as ["*.log"]', excludes);
  if (onProgress !== undefined && typeof onProgress !== "function") throw bad("onProgress", "a function", onProgress);
}

/** One progress of copies that go on side by side. */
function sumOf(onProgress: TransferOptions["onProgress"]): () => ((bytes: number, of: number) => void) | undefined {
  const parts: { bytes: number; of: number }[] = [];
  return () => {
    if (onProgress === undefined) return undefined;
    const own = { bytes: 0, of: 0 };
    parts.push(own);
    return (bytes, of) => {
      Object.assign(own, { bytes, of });
      onProgress({
        bytes: parts.reduce((sum, part) => sum + part.bytes, 0),
        of: parts.reduce((sum, part) => sum + part.of, 0),
      });
    };
  };
}

function checked(method: string, path: unknown): string {
  if (typeof path === "string" && path !== "" && !path.includes("\0")) return path;
  throw new SkyError("SKY_BAD_CALL", `pool.files.${method} takes a path; got ${JSON.stringify(path)}`);
}
