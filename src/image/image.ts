import type { Metric } from "./metrics.ts";

/** Packages that come from one index only. */
export interface PipIndex {
  /** Such as "https://download.pytorch.org/whl/cu128". */
  readonly url: string;
  /** Names of the packages that are looked for there, and nowhere else. */
  readonly packages: readonly string[];
}

/** What a machine must have before it runs tasks. Lists may be any iterable array; names are checked. */
export interface Image {
  /**
   * Node's version, such as "24" or "24.21.0". "machine": whatever is there, from 20.19 on.
   * @default "24" on machines that we make, "machine" on those that are borrowed
   */
  readonly node?: string | undefined;
  /** Packages for the functions, such as "sharp@0.33.5". @default [] */
  readonly npm?: readonly string[] | undefined;
  /** Of `npm`: packages whose install scripts may run. @default [] */
  readonly npmScripts?: readonly string[] | undefined;
  /** Python's version, such as "3.12"; "auto": what the machine has. @default none, or "auto" where `pip` names packages */
  readonly python?: string | undefined;
  /** Requirements, such as "numpy>=2"; "${NAME}" stands for a variable of `shellVars`. @default [] */
  readonly pip?: readonly string[] | undefined;
  readonly pipIndexes?: readonly PipIndex[] | undefined;
  /** Packages of the system. @default [] */
  readonly apt?: readonly string[] | undefined;
  /** Variables of the bootstrap and of the tasks. @default {} */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /**
   * The same, kept in memory only: never in a script, an argument, a file, a log or an event. A list names variables of
   * this process. @default []
   */
  readonly secrets?: readonly string[] | Readonly<Record<string, string>> | undefined;
  /** Name to shell command: evaluated on the machine, its output is the variable's value. @default {} */
  readonly shellVars?: Readonly<Record<string, string>> | undefined;
  /** Files and folders of this computer, relative to the working directory: they lie in the tasks' working directory. @default [] */
  readonly includes?: readonly string[] | undefined;
  /** Globs that are left out of `includes`, relative to the working directory; one without a slash is for names at any depth. @default [] */
  readonly excludes?: readonly string[] | undefined;
  /** Shell commands that run last, in order. @default [] */
  readonly steps?: readonly string[] | undefined;
  /** What the nodes measure of themselves; null: nothing. @default sky.metrics.Default() */
  readonly metrics?: readonly (Metric | readonly Metric[])[] | null | undefined;
  /** How long all of it may take. @default "300s" */
  readonly bootstrapTimeout?: string | undefined;
}

/** The same, checked and complete. */
export interface ResolvedImage {
  readonly node: string | undefined;
  readonly npm: readonly string[];
  readonly npmScripts: readonly string[];
  readonly python: string | undefined;
  readonly pip: readonly string[];
  readonly pipIndexes: readonly PipIndex[];
  readonly apt: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
  readonly shellVars: Readonly<Record<string, string>>;
  readonly includes: readonly string[];
  readonly excludes: readonly string[];
  /** What `includes` are relative to. */
  readonly folder: string;
  readonly steps: readonly string[];
  readonly metrics: readonly Metric[];
  readonly bootstrapTimeoutMs: number;
}
