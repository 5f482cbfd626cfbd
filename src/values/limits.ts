/** Bounds on one value, checked on both ends. */
export interface Limits {
  /** How many containers may be nested in one another. @default 1200 */
  readonly depth: number;
  /** Bytes of one encoded value; what travels out of band does not count. @default 2147483647 */
  readonly bytes: number;
  /** Buffers of at least this many bytes are offered to the `external` hook. @default 65536 */
  readonly externalFrom: number;
}

export const DEFAULT_LIMITS: Limits = { depth: 1200, bytes: 2 ** 31 - 1, externalFrom: 64 * 1024 };

/** Object keys may follow a remembered list of at most this many keys; see SHAPED in `tags.ts`. */
export const MAX_SHAPE_KEYS = 64;
/** How many lists of keys both ends remember; a power of two. */
export const SHAPE_SLOTS = 16;
/** What an error carries more levels deep than this below it is replaced by words: errors always arrive. */
export const ERROR_DEPTH = 200;
/** A stack is cut after this many characters: errors of runaway recursion stay small. */
export const MAX_STACK = 64 * 1024;

export function withDefaults(limits: Partial<Limits> | undefined): Limits {
  return limits === undefined ? DEFAULT_LIMITS : { ...DEFAULT_LIMITS, ...limits };
}
