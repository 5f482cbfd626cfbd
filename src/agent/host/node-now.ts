/** Milliseconds since the epoch, finer than `Date.now()`. */
export function nodeNow(): number {
  return performance.timeOrigin + performance.now();
}
