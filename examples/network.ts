import type { Digits } from "./digits.ts";

export interface Setting {
  /** Units of the hidden layer. */
  readonly hidden: number;
  /** How far each picture moves the weights. */
  readonly rate: number;
}

const PIXELS = 28 * 28;
const CLASSES = 10;

/** The share of one fold that a network reads right when it has learnt from the other folds. */
export function crossValidate(digits: Digits, setting: Setting, fold: number, folds: number, epochs = 3): number {
  const rows = [...digits.labels.keys()];
  // Pictures come one of each digit in turn, so whole turns keep the digits of every fold even.
  const held = (row: number): boolean => Math.floor(row / CLASSES) % folds === fold;
  const pixels = Float32Array.from(digits.pixels, (grey) => grey / 255);
  const network = new Network(setting, 17 + fold);
  const known = rows.filter((row) => !held(row));
  for (let epoch = 0; epoch < epochs; epoch++) network.learn(pixels, digits.labels, known);
  const asked = rows.filter(held);
  return asked.filter((row) => network.guess(pixels, row) === digits.labels[row]).length / asked.length;
}

/** One hidden layer of rectified units and a softmax, trained by gradient descent, picture by picture. */
class Network {
  readonly #setting: Setting;
  readonly #random: () => number;
  readonly #first: Float32Array;
  readonly #second: Float32Array;
  readonly #inner: Float32Array;
  readonly #outer: Float32Array;

  constructor(setting: Setting, seed: number) {
    this.#setting = setting;
    this.#random = seeded(seed);
    this.#first = this.#weights(setting.hidden, PIXELS + 1);
    this.#second = this.#weights(CLASSES, setting.hidden + 1);
    this.#inner = new Float32Array(setting.hidden);
    this.#outer = new Float32Array(CLASSES);
  }

  guess(pixels: Float32Array, row: number): number {
    this.#forward(pixels, row * PIXELS);
    return this.#outer.indexOf(Math.max(...this.#outer));
  }

  learn(pixels: Float32Array, labels: Uint8Array, rows: readonly number[]): void {
    const back = new Float32Array(this.#setting.hidden);
    for (const row of shuffled(rows, this.#random)) {
      this.#forward(pixels, row * PIXELS);
      this.#outer[labels[row]!]! -= 1;
      this.#backward(pixels, row * PIXELS, back);
    }
  }

  #forward(pixels: Float32Array, at: number): void {
    const { hidden } = this.#setting;
    for (let unit = 0; unit < hidden; unit++) {
      const row = unit * (PIXELS + 1);
      let sum = this.#first[row + PIXELS]!;
      for (let i = 0; i < PIXELS; i++) sum += this.#first[row + i]! * pixels[at + i]!;
      this.#inner[unit] = sum > 0 ? sum : 0;
    }
    let total = 0;
    for (let label = 0; label < CLASSES; label++) {
      const row = label * (hidden + 1);
      let sum = this.#second[row + hidden]!;
      for (let unit = 0; unit < hidden; unit++) sum += this.#second[row + unit]! * this.#inner[unit]!;
      total += this.#outer[label] = Math.exp(Math.min(sum, 50));
    }
    for (let label = 0; label < CLASSES; label++) this.#outer[label]! /= total;
  }

  /** Moves the weights against the error, which stands in the outer layer. */
  #backward(pixels: Float32Array, at: number, back: Float32Array): void {
    const { hidden, rate } = this.#setting;
    back.fill(0);
    for (let label = 0; label < CLASSES; label++) {
      const row = label * (hidden + 1);
      const error = this.#outer[label]!;
      for (let unit = 0; unit < hidden; unit++) {
        back[unit]! += this.#second[row + unit]! * error;
        this.#second[row + unit]! -= rate * error * this.#inner[unit]!;
      }
      this.#second[row + hidden]! -= rate * error;
    }
    for (let unit = 0; unit < hidden; unit++) {
      if (this.#inner[unit] === 0) continue;
      const row = unit * (PIXELS + 1);
      const change = rate * back[unit]!;
      for (let i = 0; i < PIXELS; i++) this.#first[row + i]! -= change * pixels[at + i]!;
      this.#first[row + PIXELS]! -= change;
    }
  }

  #weights(units: number, inputs: number): Float32Array {
    const spread = Math.sqrt(2 / inputs);
    return Float32Array.from({ length: units * inputs }, () => (this.#random() * 2 - 1) * spread);
  }
}

function shuffled(rows: readonly number[], random: () => number): number[] {
  const order = [...rows];
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** A repeatable source of numbers in [0, 1): mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
