import { SkyError } from "../../errors/sky-error.ts";
import * as tag from "../tags.ts";
import { isFresh, readFields, readObject, readProps } from "./objects.ts";
import type { DecodeState } from "./state.ts";

/** An instance without codec: its fields, or what its class extends, under the class's prototype. No constructor runs. */
export function readInstance(d: DecodeState): unknown {
  const { constructor } = d.class();
  return readUnder(d, constructor.prototype as object);
}

function readUnder(d: DecodeState, prototype: object): unknown {
  const first = d.peek();
  if (first >= tag.FIX_OBJECT && first < tag.FIX_OBJECT_END) {
    d.pos++;
    return readObject(d, first - tag.FIX_OBJECT, prototype);
  }
  if (first >= tag.SHAPED && first < tag.SHAPED_END) {
    d.pos++;
    return readFields(d, d.shape(first - tag.SHAPED), prototype);
  }
  if (first === tag.OBJECT) {
    d.pos++;
    return readObject(d, d.varint(), prototype);
  }
  if (first === tag.WITH_PROPS) {
    d.pos++;
    if (d.peek() === tag.WITH_PROPS) throw d.malformed("properties follow properties");
    const object = readUnder(d, prototype);
    readProps(d, object as object);
    return object;
  }
  if (!isFresh(first)) throw d.malformed("an instance has no fields");
  return Object.setPrototypeOf(d.value(), prototype) as unknown;
}

export function readCodecInstance(d: DecodeState): unknown {
  const { id, codec } = d.class();
  const slot = d.reserve();
  d.enter();
  const state = d.value();
  d.leave();
  if (codec === undefined) throw d.malformed(`the class "${id}" has no codec here`);
  let instance: unknown;
  try {
    instance = codec.decode(state);
  } catch (cause) {
    throw new SkyError("SKY_VALUE_UNSERIALIZABLE", `The codec of the class "${id}" could not make its instance.`, {
      hint: "See the cause: codec.decode threw.",
      details: { type: id },
      cause,
    });
  }
  d.fill(slot, instance);
  return instance;
}

export function readWithProps(d: DecodeState): unknown {
  const first = d.peek();
  if (!isFresh(first) || first === tag.WITH_PROPS) throw d.malformed("properties without an object");
  const object = d.value();
  readProps(d, object as object);
  return object;
}

export function readFunction(d: DecodeState): unknown {
  const slot = d.reserve();
  d.enter();
  const state = d.value();
  d.leave();
  if (d.hooks.resolveFunction === undefined) throw d.malformed("a function is not expected here");
  const fn = d.hooks.resolveFunction(state);
  d.fill(slot, fn);
  return fn;
}
