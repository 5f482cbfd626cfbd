import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";

/** One measured figure; what `npm run bench` prints, a JSON line each. */
export interface Line {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** `value` divided by the reference that was measured in the same run. */
  readonly ratio?: number;
  readonly bar?: string;
  readonly pass?: boolean;
  readonly commit: string;
}

/** What a figure has to keep to. With `of`, the bar is on the ratio to that reference, else on the value itself. */
export interface Bar {
  readonly of?: number;
  readonly atMost?: number;
  readonly atLeast?: number;
}

export type Report = (name: string, value: number, unit: string, bar?: Bar) => void;

export interface Case {
  readonly name: string;
  /** Holds on any machine, since it counts bytes and writes or mostly waits, and so gates a change. @default false */
  readonly counted?: boolean;
  /** Takes minutes, so that it runs only when asked for. @default false */
  readonly release?: boolean;
  run(report: Report): Promise<void>;
}

export const REPETITIONS = 5;

export function median(numbers: readonly number[]): number {
  return percentile(numbers, 0.5);
}

/** The value that this share of the numbers does not exceed. */
export function percentile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/**
 * The median of five rounds for each contestant. They take turns within a round, so that a machine that slows down
 * slows all of them.
 */
export async function inTurns<K extends string>(
  contestants: Readonly<Record<K, () => number | Promise<number>>>,
  repetitions = REPETITIONS,
): Promise<Record<K, number>> {
  const names = Object.keys(contestants) as K[];
  const rounds = names.map((): number[] => []);
  for (let round = 0; round < repetitions; round++) {
    for (const [index, name] of names.entries()) rounds[index]?.push(await contestants[name]());
  }
  return Object.fromEntries(names.map((name, index) => [name, median(rounds[index] ?? [])])) as Record<K, number>;
}

/** Milliseconds that this takes. */
export async function elapsed(work: () => unknown): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** Round trips one after another, in microseconds: p50 and p99 of `count`, after a warm-up. */
export async function roundTrips(
  once: () => PromiseLike<unknown>,
  count = 2000,
): Promise<{ p50: number; p99: number }> {
  for (let i = 0; i < count / 4; i++) await once();
  const samples: number[] = [];
  for (let i = 0; i < count; i++) {
    const started = performance.now();
    await once();
    samples.push((performance.now() - started) * 1000);
  }
  return { p50: percentile(samples, 0.5), p99: percentile(samples, 0.99) };
}

/** Calls per second with so many in flight at any time. */
export async function rate(once: () => PromiseLike<unknown>, total: number, inFlight = 1000): Promise<number> {
  let left = total;
  const loop = async (): Promise<void> => {
    while (left-- > 0) await once();
  };
  const milliseconds = await elapsed(() => Promise.all(Array.from({ length: inFlight }, loop)));
  return total / (milliseconds / 1000);
}

export function toLine(commit: string, name: string, value: number, unit: string, bar: Bar = {}): Line {
  const ratio = bar.of === undefined ? undefined : value / bar.of;
  const judged = ratio ?? value;
  const { atMost, atLeast } = bar;
  const suffix = ratio === undefined ? ` ${unit}` : "x";
  return {
    name,
    value: round(value),
    unit,
    ...(ratio === undefined ? {} : { ratio: round(ratio) }),
    ...(atMost === undefined ? {} : { bar: `<= ${atMost}${suffix}`, pass: judged <= atMost }),
    ...(atLeast === undefined ? {} : { bar: `>= ${atLeast}${suffix}`, pass: judged >= atLeast }),
    commit,
  };
}

export function currentCommit(): string {
  try {
    const git = (...words: string[]): string => execFileSync("git", words, { encoding: "utf8", stdio: "pipe" }).trim();
    return git("rev-parse", "--short", "HEAD") + (git("status", "--porcelain") === "" ? "" : "+");
  } catch {
    return "none";
  }
}

/** How fast this machine is just now: milliseconds for a fixed piece of single-threaded work, median of five. */
export function calibrate(): number {
  const block = Buffer.alloc(1 << 20, 7);
  return median(
    Array.from({ length: REPETITIONS }, () => {
      const started = performance.now();
      const hash = createHash("sha256");
      for (let i = 0; i < 64; i++) hash.update(block);
      hash.digest();
      return performance.now() - started;
    }),
  );
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
