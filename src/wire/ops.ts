/** Version of everything in `docs/protocol.md`. A peer with another one is refused by name. */
export const PROTOCOL_VERSION = 1;

/** A frame's payload ends at the first record that passes this many bytes. */
export const FRAME_TARGET_BYTES = 128 * 1024;
/** A longer frame is a broken or hostile peer. */
export const FRAME_MAX_BYTES = 4 * 1024 * 1024;
/** Bulk crosses in pieces of this size, so that control is never far behind one. */
export const CHUNK_BYTES = 64 * 1024;
/** Items and values above this leave by a bulk channel instead of inside their record. */
export const INLINE_MAX_BYTES = 32 * 1024;
/** Bytes that a channel's sender may have on the way before the receiver grants more. */
export const CHANNEL_CREDIT_BYTES = 4 * 1024 * 1024;
/** Largest value that a channel may announce. */
export const CHANNEL_MAX_BYTES = 4 * 1024 * 1024 * 1024;

/** Most that a FILES or CODE record unpacks to: a host does that in one go. */
export const PACK_MAX_BYTES = 32 * 1024 * 1024;

/** Of a content's SHA-256. */
export const HASH_BYTES = 32;

/** Operations of records. Below 16 both ways, below 32 controller to host, above that host to controller. */
export const Op = {
  OPEN: 1,
  CHUNK: 2,
  CREDIT: 3,
  ABORT: 4,
  ELEMENTS: 5,
  ELEMENT: 6,
  END: 7,
  GRANT: 8,
  STOP: 9,
  BLOB: 16,
  CODE: 17,
  BIND: 18,
  UNBIND: 19,
  TASKS: 20,
  REVOKE: 21,
  CANCEL: 22,
  TOPOLOGY: 23,
  FILES: 24,
  NPM: 25,
  SHARE: 26,
  UNSHARE: 27,
  DEBUG: 28,
  DEBUG_END: 29,
  CANCEL_WITH: 30,
  OUTCOMES: 32,
  REVOKED: 33,
  LOST: 34,
  LOG: 35,
  NOTE: 36,
  HAVE: 37,
  MISSING: 38,
  BULK_WANTED: 39,
  INSPECTOR: 42,
  DEBUGGED: 43,
  DEBUGGED_END: 44,
  LEFT_LARGE: 45,
} as const;

/** First byte of an outcome item; an empty item is `undefined`, returned. */
export const Status = {
  RETURNED: 0,
  THREW: 1,
  RETURNED_BULK: 2,
  THREW_BULK: 3,
  /** The body is over; its result was a stream, which tells its own end. */
  STREAMED: 4,
  /** The same, with an error, which the stream tells at its place. */
  STREAM_THREW: 5,
  /** A body whose result is a stream threw before the first element: there is no stream. */
  STREAM_FAILED: 6,
  RETURNED_LARGE: 16,
  THREW_LARGE: 17,
} as const;

/** First byte of a TASKS record's mode. */
export const Mode = {
  /** Each item is an encoded array of arguments; an empty item is no arguments. */
  ARGUMENTS: 0,
  /** Each item is the one argument. */
  ITEM: 1,
  /** The record has one item, which lies in the bulk channel that the body names (u32), as arguments. */
  BULK_ARGUMENTS: 2,
  /** The same, as the one argument. */
  BULK_ITEM: 3,
  /** The record has one task: count u8, so many positions u8 of arguments that stream, then the encoded array. */
  STREAMS: 4,
  /** The same, in the bulk channel that the body names (u32). */
  BULK_STREAMS: 5,
  /** The record has one task, whose parts come over the bulk link, or that uses shared values; as arguments. */
  LARGE_ARGUMENTS: 16,
  /** The same, as the one argument. */
  LARGE_ITEM: 17,
} as const;
