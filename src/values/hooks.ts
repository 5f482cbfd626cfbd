import type { Limits } from "./limits.ts";

export type AnyFunction = (...args: never[]) => unknown;
export type AnyClass = abstract new (...args: never[]) => object;

/** What the encoder asks its caller. All are called synchronously, inside `encode`. */
export interface EncodeHooks {
  /** How error messages call the value itself. @default "value" */
  readonly root?: string;
  readonly limits?: Partial<Limits>;
  /** The identity of an instance's class, where both ends know that class by it. Asked after the registry. */
  classOf?(instance: object): { readonly id: string } | undefined;
  /** What stands for a function: any value that can travel, or undefined to refuse the function. */
  function?(fn: AnyFunction): unknown;
  /**
   * Offered each run of at least `limits.externalFrom` bytes. Returns the index under which the other end finds them, or
   * undefined to have them copied into the writer. The bytes are the user's own memory: send or copy them before the
   * dispatching call returns, or they may change.
   */
  external?(bytes: Uint8Array): number | undefined;
  /** Asked for each object: the number under which the other end has it already, or undefined to have it written. */
  shared?(object: object): number | undefined;
  /** Asked for the bytes of each Blob, which a Blob itself gives only asynchronously; undefined to refuse it. */
  blob?(blob: Blob): Uint8Array | undefined;
}

/** What the decoder asks its caller. */
export interface DecodeHooks {
  readonly limits?: Partial<Limits>;
  /** The class that `classOf` named. Asked after the registry. Its constructor is not run. */
  resolveClass?(id: string): AnyClass | undefined;
  /** The function that `function` described. */
  resolveFunction?(state: unknown): AnyFunction;
  /** The bytes with that index. They are given away: a buffer that they fill becomes part of the value without a copy. */
  resolveExternal?(index: number): Uint8Array;
  /** The value with the number that `shared` gave. */
  resolveShared?(index: number): unknown;
  /** An error class that is not built in, by its name. Its constructor is not run. */
  errorClass?(name: string): AnyFunction | AnyClass | undefined;
  /** Rewrites the stack of each error that arrives. */
  mapStack?(stack: string): string;
}
