/** Which parts of an error follow, in this order. */
export const MESSAGE = 1;
export const STACK = 2;
export const CAUSE = 4;
export const ERRORS = 8;
/** `name` is an own property that is not enumerable. */
export const NAME = 16;
/** One of skyward's own errors: code, hint, retryable and details are among the properties. */
export const SKY = 32;
