import type { Place } from "../capture/source-map.ts";
import type { Reached } from "./reach.ts";

export interface ArtifactFile {
  /** Where it lies in the tree: relative to the root, with forward slashes. */
  readonly path: string;
  /** Full sha256 of its content as sent, in hex: `blob(hash)` gives that. */
  readonly hash: string;
  readonly size: number;
}

export interface ArtifactLink {
  readonly path: string;
  /** Relative to the link's own folder. */
  readonly target: string;
}

/** A function's code as files: what it reaches, in the layout that it has at home. */
export interface Artifact {
  /** Hash of everything below but the root. */
  readonly id: string;
  /** The folder at home that the paths are relative to. */
  readonly root: string;
  /** The module that exports `make`. */
  readonly entry: string;
  readonly files: readonly ArtifactFile[];
  readonly links: readonly ArtifactLink[];
  /** Conditions that the user's program resolves with, beyond Node's own. */
  readonly conditions: readonly string[];
}

/** A module that capture wrote, before it is built. */
export interface ModuleSource {
  /** The user's file that it lies beside. */
  readonly file: string;
  readonly kind: "esm" | "cjs";
  readonly text: string;
  /** From a position in the text (counted from 0) to the user's file. */
  readonly place: (line: number, column: number) => Place | undefined;
}

/** The entry module, with what it needs besides what it imports by name. */
export interface EntrySource extends ModuleSource {
  /** What is sent, for messages. */
  readonly name: string;
  /** The file name of the entry, which lies beside `file`. */
  readonly entryName: string;
  /** Modules of declarations that several entries share, under the names by which they are imported. */
  readonly modules: readonly NamedModule[];
  /** Globs, relative to the file, of files that no literal import names. */
  readonly include: readonly string[];
  /** Files and folders that captured paths name. */
  readonly assets: readonly string[];
  /** Whether a file is one whose declarations travel: it is never imported on a node. */
  isHome(file: string): boolean;
  /**
   * Modules that stand for such a file where others of the user's import from it: the last of them has these exports.
   * Undefined where nothing is known of the file.
   * @throws SkyError SKY_CAPTURE_* where one of them can't travel
   */
  declarations(file: string, names: readonly string[], importer: string): readonly NamedModule[] | undefined;
}

export type NamedModule = ModuleSource & { readonly name: string };

export interface Prepared {
  readonly artifact: Artifact;
  mapStack(stack: string): string;
  /** How each file but the entry is reached: for people, found out when they ask. */
  reach(): readonly Reached[];
}
