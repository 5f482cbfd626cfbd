import { Buffer } from "node:buffer";
import { wellKnownSymbol } from "../symbols.ts";
import type { DecodeState } from "./state.ts";

export function readBigInt(d: DecodeState): bigint {
  const negative = d.u8() !== 0;
  const length = d.varint();
  const at = d.skip(length);
  if (length === 0) return 0n;
  const hex = Buffer.from(d.buf.subarray(at, at + length))
    .reverse()
    .toString("hex");
  const magnitude = BigInt(`0x${hex}`);
  return negative ? -magnitude : magnitude;
}

export function readWellKnown(d: DecodeState): symbol {
  const name = d.text();
  const symbol = wellKnownSymbol(name);
  if (symbol === undefined) throw d.malformed(`Symbol.${name.slice(0, 40)} is not known here`);
  return symbol;
}

export function readMap(d: DecodeState): Map<unknown, unknown> {
  const size = d.count(2);
  const map = d.add(new Map<unknown, unknown>());
  d.enter();
  for (let i = 0; i < size; i++) {
    const key = d.value();
    map.set(key, d.value());
  }
  d.leave();
  return map;
}

export function readSet(d: DecodeState): Set<unknown> {
  const size = d.count();
  const set = d.add(new Set());
  d.enter();
  for (let i = 0; i < size; i++) set.add(d.value());
  d.leave();
  return set;
}

export function readRegExp(d: DecodeState): RegExp {
  const source = d.text();
  const regexp = new RegExp(source, d.text());
  regexp.lastIndex = d.varint();
  return d.add(regexp);
}

export function readBoxed(d: DecodeState): object {
  const slot = d.reserve();
  const primitive = d.value();
  if (
    primitive === null ||
    primitive === undefined ||
    typeof primitive === "object" ||
    typeof primitive === "function"
  ) {
    throw d.malformed("a boxed value is no primitive");
  }
  const boxed = Object(primitive) as object;
  d.fill(slot, boxed);
  return boxed;
}

/** A value that this end has under a number. It takes the place of one object, whatever it is. */
export function readShared(d: DecodeState): unknown {
  const slot = d.reserve();
  const index = d.varint();
  if (d.hooks.resolveShared === undefined) throw d.malformed(`the shared value ${index} is not here`);
  const value = d.hooks.resolveShared(index);
  d.fill(slot, value);
  return value;
}
