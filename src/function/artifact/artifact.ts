import type { Place } from "../capture/source-map.ts";
import type { ListedPackage } from "./native/listed.ts";
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

/** A package that is not sent but installed where it runs: it has native code, or the image lists it. */
export interface ArtifactExternal {
  /** The name that it is imported by. */
  readonly name: string;
  /** Exactly this one. */
  readonly version: string;
  /** As the lockfile has it. */
  readonly integrity: string | undefined;
  /** Its place in the tree: the folder that an import of it leads to. */
  readonly path: string;
  /** Where it is installed at home; undefined where home has it not, or in another version. */
  readonly home: string | undefined;
  /** What is native about it: a file, or the package that brings that; or that the image lists it. */
  readonly why: string;
  /** Hash of the blob that says how to install it: an `InstallPlan`. */
  readonly plan: string;
  /** Only its install script could make it work elsewhere, and the project does not list that. */
  readonly unlisted: boolean;
}

/** A function's code as files: what it reaches, in the layout that it has at home. */
export interface Artifact {
  /** Hash of everything below but what only home knows. */
  readonly id: string;
  /** The folder at home that the paths are relative to. */
  readonly root: string;
  /** The module that exports `make`. */
  readonly entry: string;
  readonly files: readonly ArtifactFile[];
  readonly links: readonly ArtifactLink[];
  /** Packages that the node has to have, by path. Empty for most functions. */
  readonly externals: readonly ArtifactExternal[];
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
  /** Packages that are installed where it runs although they could be sent. @default [] */
  readonly listed?: readonly ListedPackage[];
  /** The function itself, where it ships by file and export. */
  readonly wanted?: { readonly specifier: string; readonly exported: string };
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
  /** The specifiers that lead into a package's folder, by the shortest way. */
  wayTo(root: string): readonly string[];
}
