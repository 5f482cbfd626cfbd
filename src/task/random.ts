/**
 * xoshiro128** by Blackman and Vigna, its state filled by splitmix32 from the low and the high 32 bits of the seed.
 * The same seed gives the same numbers on every machine and in every version: shards of one pool depend on it.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** @param seed any safe integer */
  constructor(seed: number) {
    let state = (seed | 0) ^ Math.imul(Math.floor(seed / 2 ** 32) | 0, 0x85ebca6b);
    const next = (): number => {
      state = (state + 0x9e3779b9) | 0;
      let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
      return mixed ^ (mixed >>> 15);
    };
    this.#a = next();
    this.#b = next();
    this.#c = next();
    this.#d = next();
  }

  /** A whole number from 0 up to, not including, 2^32. */
  uint32(): number {
    const scrambled = Math.imul(this.#b, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }

  /**
   * A whole number from 0 up to, not including, `bound` (1 to 2^32), each equally likely: as many low bits of a draw
   * as `bound - 1` has, drawn again while they are too large.
   */
  below(bound: number): number {
    const top = (bound - 1) >>> 0;
    if (top === 0) return 0;
    const mask = 0xffff_ffff >>> Math.clz32(top);
    let drawn = (this.uint32() & mask) >>> 0;
    while (drawn > top) drawn = (this.uint32() & mask) >>> 0;
    return drawn;
  }
}

/** The numbers 0 to `length - 1` in random order: Fisher-Yates from the end, one `below(i + 1)` for each place. */
export function permutation(length: number, seed: number): Uint32Array {
  const order = new Uint32Array(length);
  for (let i = 0; i < length; i++) order[i] = i;
  const random = new Random(seed);
  for (let i = length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const kept = order[i] as number;
    order[i] = order[j] as number;
    order[j] = kept;
  }
  return order;
}
