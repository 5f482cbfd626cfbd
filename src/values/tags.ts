/**
 * The first byte of each value. `docs/protocol-values.md` says what follows it.
 * Below 0xd0 the low bits carry a number themselves.
 */
export const FIX_INT_END = 0x80;
export const FIX_STRING = 0x80;
export const FIX_STRING_END = 0xa0;
export const FIX_ARRAY = 0xa0;
export const FIX_ARRAY_END = 0xb0;
export const FIX_OBJECT = 0xb0;
export const FIX_OBJECT_END = 0xc0;
export const SHAPED = 0xc0;
export const SHAPED_END = 0xd0;

export const UNDEFINED = 0xd0;
export const NULL = 0xd1;
export const FALSE = 0xd2;
export const TRUE = 0xd3;
export const INT8 = 0xd4;
export const INT16 = 0xd5;
export const INT32 = 0xd6;
export const FLOAT64 = 0xd7;
export const STRING8 = 0xd8;
export const STRING = 0xd9;
export const STRING_UTF16 = 0xda;
export const BIGINT64 = 0xdb;
export const BIGINT = 0xdc;
export const SYMBOL = 0xdd;
export const SYMBOL_WELL_KNOWN = 0xde;
export const REF = 0xdf;
export const ARRAY = 0xe0;
/** Only among the elements of an array: a run of holes. */
export const HOLES = 0xe1;
export const ARRAY_FLOAT64 = 0xe2;
export const OBJECT = 0xe3;
export const OBJECT_NULL = 0xe4;
export const MAP = 0xe5;
export const SET = 0xe6;
export const DATE = 0xe7;
export const REGEXP = 0xe8;
export const URL_TAG = 0xe9;
export const URL_SEARCH_PARAMS = 0xea;
export const BOXED = 0xeb;
export const ARRAY_BUFFER = 0xec;
export const SHARED_ARRAY_BUFFER = 0xed;
/** A view with a buffer of its own. */
export const VIEW = 0xee;
/** A view on a buffer that is a value of its own. */
export const VIEW_ON = 0xef;
export const BUFFER = 0xf0;
export const BLOB = 0xf1;
export const ERROR = 0xf2;
export const INSTANCE = 0xf3;
export const INSTANCE_CODEC = 0xf4;
export const FUNCTION = 0xf5;
/** More properties for the object that follows. */
export const WITH_PROPS = 0xf6;
/** A value that the other end has under a number. */
export const SHARED_VALUE = 0xf7;
