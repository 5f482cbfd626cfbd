import { closeSync, openSync, readSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** Pictures of handwritten digits: 28 x 28 grey values from 0 to 255, row after row, and what each picture shows. */
export interface Digits {
  readonly pixels: Uint8Array;
  readonly labels: Uint8Array;
}

const PIXELS = 28 * 28;
const CLASSES = 10;

/** The first pictures of each digit in the `mnist` package, one of each in turn: 2,000 unless said otherwise. */
export function loadDigits(perDigit = 200): Digits {
  const folder = join(dirname(createRequire(import.meta.url).resolve("mnist/package.json")), "src/digits");
  const pixels = new Uint8Array(perDigit * CLASSES * PIXELS);
  const labels = new Uint8Array(perDigit * CLASSES);
  for (let digit = 0; digit < CLASSES; digit++) {
    const values = leadingNumbers(join(folder, `${digit}.json`), perDigit * PIXELS);
    for (let picture = 0; picture < perDigit; picture++) {
      const row = picture * CLASSES + digit;
      for (let i = 0; i < PIXELS; i++) pixels[row * PIXELS + i] = Math.round(values[picture * PIXELS + i]! * 255);
      labels[row] = digit;
    }
  }
  return { pixels, labels };
}

/** The first `count` numbers of `{ "data": [0,0.5,...] }`, reading no more of the file than they need. */
function leadingNumbers(file: string, count: number): Float32Array {
  const buffer = Buffer.alloc(count * 6 + 16);
  const handle = openSync(file, "r");
  const length = readSync(handle, buffer, 0, buffer.length, 0);
  closeSync(handle);
  const text = buffer.toString("latin1", 0, length);
  const numbers = text.slice(text.indexOf("[") + 1).split(",", count);
  if (numbers.length < count) throw new Error(`${file} has fewer than ${count} numbers`);
  return Float32Array.from(numbers, Number);
}
