import { SkyError } from "../../errors/sky-error.ts";
import { isError } from "../builtin-errors.ts";
import type { AnyFunction } from "../hooks.ts";
import { hasPrivateState } from "../private-state.ts";
import { Refusal, threw, under } from "../refusal.ts";
import { type Codec, isShadowed, ownCodec, registeredClass } from "../registry.ts";
import * as tag from "../tags.ts";
import { writeArray, writeElements } from "./arrays.ts";
import { baseWriterFor, type Write } from "./kinds.ts";
import { symbolKeys, writeObject, writeProps } from "./objects.ts";
import type { EncodeState } from "./state.ts";

const ADVICE_PRIVATE = "Give the class static [sky.codec] = { encode(instance), decode(state) }.";

/** Writes which class it is; returns what writes the rest. Undefined where nobody knows the class. */
export function beginInstance(e: EncodeState, object: object, prototype: object): Write | undefined {
  const constructor = Object.getOwnPropertyDescriptor(prototype, "constructor")?.value as unknown;
  if (typeof constructor !== "function") return undefined;
  const entry = registeredClass(constructor as AnyFunction);
  const id = entry?.id ?? e.hooks.classOf?.(object)?.id;
  const codec = entry?.codec ?? ownCodec(constructor as AnyFunction);
  if (codec === undefined && (id === undefined || isError(object))) return undefined;
  if (id === undefined) {
    const reason = "its class has a codec, but the other end can't find the class";
    throw new Refusal(constructor.name, reason, `Call sky.register(${constructor.name}) where the class is declared.`);
  }
  if (entry !== undefined && isShadowed(entry)) {
    const reason = `another class is registered as "${id}" too`;
    throw new Refusal(constructor.name, reason, "Give the codecs of the two classes an id each.");
  }
  return codec === undefined
    ? beginFields(e, object, id, constructor as AnyFunction)
    : beginCodec(e, object, id, codec);
}

function beginCodec(e: EncodeState, object: object, id: string, codec: Codec): Write {
  let state: unknown;
  try {
    state = codec.encode(object);
  } catch (error) {
    // One of ours says best what is wrong.
    if ((error instanceof SkyError || error instanceof Refusal) && e.lenient === 0) throw error;
    throw new Refusal(id, `its codec failed: ${threw(error).reason}`, "See the cause: codec.encode threw.", error);
  }
  e.writer.u8(tag.INSTANCE_CODEC);
  e.classId(id);
  return () => {
    e.enter();
    try {
      e.opaque(object, state);
    } catch (error) {
      throw under(error, "[sky.codec]");
    }
    e.depth--;
  };
}

function beginFields(e: EncodeState, object: object, id: string, constructor: AnyFunction): Write {
  if (hasPrivateState(constructor)) {
    const reason = "its class keeps state in private fields, which can't be read from outside";
    throw new Refusal(constructor.name, reason, ADVICE_PRIVATE);
  }
  const write = baseWriterFor(object);
  e.writer.u8(tag.INSTANCE);
  e.classId(id);
  return write === writeObject ? write : writeBaseAndProps;
}

/** A class that extends a built-in one: what that holds, then the fields beside it. */
function writeBaseAndProps(e: EncodeState, object: object): void {
  const write = baseWriterFor(object);
  const isArray = write === writeArray;
  const props = extraKeys(object, isArray || ArrayBuffer.isView(object));
  if (props.length > 0) e.writer.u8(tag.WITH_PROPS);
  if (isArray) writeElements(e, object as readonly unknown[]);
  else write(e, object);
  if (props.length > 0) writeProps(e, object, props);
}

function extraKeys(object: object, indexed: boolean): (string | symbol)[] {
  const keys = Object.keys(object);
  const named = indexed ? keys.filter((key) => !/^(0|[1-9]\d*)$/.test(key)) : keys;
  return [...named, ...(symbolKeys(object) ?? [])];
}
