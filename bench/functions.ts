import * as sky from "skyward";

/** The functions that the cases run: nothing at all, hold a thread, and wait. */
export const noop = sky.fn(() => undefined);
export const same = sky.fn((item: number) => item);

export const spin = sky.fn((milliseconds: number) => {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
});

export const nap = sky.fn((milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds)));

/** Holds a slot until it is told to stop. */
export const hold = sky.fn((_item: number) => {
  const { signal } = sky.task();
  return new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
});

export const length = sky.fn((values: Float64Array) => values.length);
export const filled = sky.fn((count: number) => new Float64Array(count).fill(1));

/** The file of the program that runs it. */
export const ownProgram = sky.fn(() => process.argv[1]!);
