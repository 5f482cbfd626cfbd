import type { ByteWriter } from "./byte-writer.ts";
import { Encoder } from "./encode/encoder.ts";
import { writeNumber, writeString } from "./encode/scalars.ts";
import type { EncodeHooks } from "./hooks.ts";
import { toSkyError } from "./refusal.ts";
import * as tag from "./tags.ts";

/** The encoder that is not in use; a codec or hook that encodes in turn gets another. */
let idle: Encoder | undefined = new Encoder();

/**
 * Appends a value to the writer. On an error nothing is appended.
 * @throws SKY_VALUE_UNSERIALIZABLE with the path to what can't travel: `args[0].config.socket (net.Socket)`
 * @throws SKY_VALUE_LIMIT where the value is deeper or larger than `hooks.limits`
 */
export function encode(value: unknown, writer: ByteWriter, hooks?: EncodeHooks): void {
  switch (typeof value) {
    case "number":
      return writeNumber(writer, value);
    case "undefined":
      return writer.u8(tag.UNDEFINED);
    case "boolean":
      return writer.u8(value ? tag.TRUE : tag.FALSE);
    case "string":
      if (value.length < 1024) return writeString(writer, value);
  }
  if (value === null) return writer.u8(tag.NULL);
  run(value, writer, hooks, false);
}

/** `encode` for what a function threw: of an object, parts that can't travel are replaced by words. */
export function encodeThrown(thrown: unknown, writer: ByteWriter, hooks?: EncodeHooks): void {
  run(thrown, writer, hooks, typeof thrown === "object", "error");
}

function run(
  value: unknown,
  writer: ByteWriter,
  hooks: EncodeHooks | undefined,
  lenient: boolean,
  root = "value",
): void {
  const encoder = idle ?? new Encoder();
  idle = undefined;
  const start = writer.pos;
  encoder.begin(writer, hooks, lenient);
  try {
    encoder.value(value);
    encoder.checkSize();
  } catch (error) {
    writer.pos = start;
    throw toSkyError(error, hooks?.root ?? root);
  } finally {
    encoder.end();
    idle = encoder;
  }
}
