import { RemoteError } from "../errors/remote-error.ts";
import { ByteWriter } from "../values/byte-writer.ts";
import { encodeError } from "../values/errors.ts";
import { INLINE_MAX_BYTES } from "./ops.ts";

const TEXT_MAX = 1024;

/** Why tasks are stopped, for CANCEL_WITH. Of a reason that is large only name and message are told. */
export function encodeReason(reason: unknown): Uint8Array {
  const out = new ByteWriter(512);
  encodeError(reason, out);
  if (out.pos > INLINE_MAX_BYTES) {
    const { name, message } = reason instanceof Error ? reason : { name: "Error", message: String(reason) };
    out.pos = 0;
    encodeError(
      new RemoteError(message.slice(0, TEXT_MAX), { name: name.slice(0, TEXT_MAX), classes: ["Error"] }),
      out,
    );
  }
  return out.take();
}
