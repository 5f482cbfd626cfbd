import { decode } from "../../../values/decode.ts";
import type { DecodeHooks } from "../../../values/hooks.ts";
import { ownCopy } from "../../../wire/own-copy.ts";
import { TOUCH_MIN_BYTES } from "../../../wire/touch-ahead.ts";
import type { PartsMessage } from "../messages.ts";

/** Large arguments of the tasks that run here: asked for by the task that starts, so that only it gets them. */
export class LargeArguments {
  readonly #ask: (id: number, attempt: number) => void;
  readonly #waiting = new Map<string, (parts: PartsMessage) => void>();

  constructor(ask: (id: number, attempt: number) => void) {
    this.#ask = ask;
  }

  fetch(id: number, attempt: number): Promise<PartsMessage> {
    return new Promise((resolve) => {
      this.#waiting.set(`${id} ${attempt}`, resolve);
      this.#ask(id, attempt);
    });
  }

  arrived(parts: PartsMessage): void {
    const key = `${parts.id} ${parts.attempt}`;
    this.#waiting.get(key)?.(parts);
    this.#waiting.delete(key);
  }
}

/** The value of a task's parts. Its own bytes become part of it; of shared ones it gets a copy that is its own. */
export async function decodeLarge({ value, shares }: PartsMessage, hooks: DecodeHooks | undefined): Promise<unknown> {
  const copies: Uint8Array[][] = [];
  for (const parts of shares) copies.push(await copied(parts));
  const used = new Set<number>();
  return decodeParts(value, {
    ...hooks,
    resolveShared(index) {
      const own = copies[index] ?? [];
      // What is in the value a second time, by another Ref, is another object.
      const another = used.has(index) ? own.map((part) => new Uint8Array(part)) : own;
      used.add(index);
      return decodeParts(another, hooks);
    },
  });
}

/** Copies of large parts that threads share; what is smaller is copied when it is decoded. */
async function copied(parts: readonly Uint8Array[]): Promise<Uint8Array[]> {
  const out: Uint8Array[] = [];
  for (const part of parts) {
    const copies = part.byteLength >= TOUCH_MIN_BYTES && part.buffer instanceof SharedArrayBuffer;
    out.push(copies ? await ownCopy(part) : part);
  }
  return out;
}

function decodeParts([head, ...externals]: readonly Uint8Array[], hooks: DecodeHooks | undefined): unknown {
  if (head === undefined || head.length === 0) return undefined;
  const shared = head.buffer instanceof SharedArrayBuffer;
  const bytes = shared ? Buffer.from(head) : Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  return decode(bytes, 0, bytes.length, {
    ...hooks,
    resolveExternal: (index) => externals[index]!,
  });
}
