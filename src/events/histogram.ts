/** Durations in 80 buckets, each half a power of two wide, from 0.01 ms up to days. It never grows. */
export interface Histogram {
  readonly count: number;
  readonly sumMs: number;
  readonly maxMs: number;
  readonly buckets: readonly number[];
}

const BUCKETS = 80;
const SMALLEST_MS = 0.01;

export const EMPTY_HISTOGRAM: Histogram = { count: 0, sumMs: 0, maxMs: 0, buckets: new Array<number>(BUCKETS).fill(0) };

export function addSample(histogram: Histogram, ms: number): Histogram {
  const buckets = histogram.buckets.slice();
  const index = bucketOf(ms);
  buckets[index] = (buckets[index] ?? 0) + 1;
  return {
    count: histogram.count + 1,
    sumMs: histogram.sumMs + ms,
    maxMs: Math.max(histogram.maxMs, ms),
    buckets,
  };
}

/** The duration in ms below which the share `q` (0..1) of the samples lies, within a bucket's width; 0 when there are none. */
export function quantile(histogram: Histogram, q: number): number {
  const wanted = q * histogram.count;
  let seen = 0;
  for (const [index, count] of histogram.buckets.entries()) {
    seen += count;
    if (count > 0 && seen >= wanted) return Math.min(histogram.maxMs, SMALLEST_MS * 2 ** ((index + 1) / 2));
  }
  return histogram.maxMs;
}

function bucketOf(ms: number): number {
  if (!(ms > SMALLEST_MS)) return 0;
  return Math.min(BUCKETS - 1, Math.floor(Math.log2(ms / SMALLEST_MS) * 2));
}
