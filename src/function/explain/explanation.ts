import type { SkyError } from "../../errors/sky-error.ts";

/** A file of the user's own project that travels. */
export interface ExplainedFile {
  /** Relative to the project's root. */
  readonly path: string;
  /** Bytes as sent. */
  readonly size: number;
  /** The chain of imports: `train -> ./model.ts`. */
  readonly why: string;
}

/** An installed package of which files travel. */
export interface ExplainedPackage {
  readonly name: string;
  readonly version: string;
  /** How many of its files travel. */
  readonly files: number;
  /** Bytes as sent. */
  readonly size: number;
  /** All of its files travel, since one that is reached looks for others beside itself. */
  readonly whole: boolean;
  /** The chain of imports: `train -> ./model.ts -> zod`. */
  readonly why: string;
}

/** A package with native code: its files don't travel, the node has it or installs it. */
export interface ExplainedExternal {
  readonly name: string;
  /** Exactly this one is installed. */
  readonly version: string;
  /** As the lockfile has it, if it does. */
  readonly integrity?: string;
  /** What is native about it: a file of it, or the package that brings that. */
  readonly native: string;
  /** The chain of imports: `resize -> ./image.ts -> sharp`. */
  readonly why: string;
}

/** A captured value: data that travels beside the code. */
export interface ExplainedValue {
  readonly name: string;
  /** In words: `number`, `array of 100`, `Map of 3`, `Float32Array of 784`. */
  readonly type: string;
  /** Bytes as encoded. */
  readonly size: number;
  /** The way from the function to the variable: `train -> step -> rate`. */
  readonly why: string;
}

/** A function or class that travels as source text. */
export interface ExplainedSource {
  readonly name: string;
  readonly kind: "function" | "class";
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/** What stands in for a refusal where an explanation was read from JSON. */
export type ExplainedRefusal = Pick<SkyError, "code" | "message" | "hint" | "details">;

/** What would travel, as plain data: what `JSON.stringify` makes of an explanation. */
export interface ExplainedData {
  readonly name: string;
  /** The file and line (from 1) that the function is in. */
  readonly file: string;
  readonly line: number;
  /** The module that is made of the function and what it captures, as a path in the tree on the node; "" if refused. */
  readonly entry: string;
  /**
   * Bytes that a node gets that has nothing yet, the captured values with them; `compressed` is an estimate (brotli,
   * quality 4). Zero if refused.
   */
  readonly bytes: { readonly raw: number; readonly compressed: number };
  /** The user's own files, the entry among them, the largest first. */
  readonly files: readonly ExplainedFile[];
  /** Installed packages, the largest first. */
  readonly packages: readonly ExplainedPackage[];
  /** Packages with native code, by name. */
  readonly externals: readonly ExplainedExternal[];
  /** Captured values, as they are now, the largest first. */
  readonly values: readonly ExplainedValue[];
  /** Functions and classes that travel as source, the function itself first. */
  readonly sources: readonly ExplainedSource[];
  readonly warnings: readonly string[];
  /** Why the function can't be sent; the lists above then hold what was found before. */
  readonly refused?: ExplainedRefusal;
}

/** What would travel to a node with a function. `String(explanation)` is a table for people. */
export interface Explanation extends ExplainedData {
  readonly refused?: SkyError;
  toString(): string;
  toJSON(): ExplainedData;
}
