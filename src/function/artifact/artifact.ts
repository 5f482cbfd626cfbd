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

/** The entry module before it is built, and where it belongs. */
export interface EntrySource {
  readonly name: string;
  /** The file that the function is in: the entry lies beside it. */
  readonly file: string;
  readonly kind: "esm" | "cjs";
  readonly text: string;
  /** From a position in the text (counted from 0) to the user's file. */
  readonly place: (line: number, column: number) => Place | undefined;
  readonly include: readonly string[];
}

export interface Prepared {
  readonly artifact: Artifact;
  mapStack(stack: string): string;
  /** How each file but the entry is reached: for people, found out when they ask. */
  reach(): readonly Reached[];
}
