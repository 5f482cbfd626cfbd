import { pathToFileURL } from "node:url";
import { decode } from "../../../values/decode.ts";
import { CodeHooks, type EntryModule } from "./code-hooks.ts";
import type { BindMessage, FromSlots } from "../messages.ts";

type Body = (...args: unknown[]) => unknown;

/** A function in this thread, with the values that it closes over. */
export class Bind {
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Set once loaded. */
  body: Body | undefined;
  failure: { readonly error: unknown } | undefined;
  /** How functions and instances cross in its arguments and results. */
  hooks: CodeHooks | undefined;
  /** A task waits for it to load. */
  awaited = false;
  /** Its bodies give streams. */
  streams = false;
  readonly loaded: Promise<void>;

  constructor(message: BindMessage, post: (message: FromSlots) => void) {
    this.stdout = message.stdout;
    this.stderr = message.stderr;
    this.loaded = this.#load(message, post);
  }

  /** Loaded, or failed to. */
  get settled(): boolean {
    return this.body !== undefined || this.failure !== undefined;
  }

  async #load({ entry, values, inspect }: BindMessage, post: (message: FromSlots) => void): Promise<void> {
    try {
      const module = (await import(pathToFileURL(entry).href)) as EntryModule;
      const exports = [module, module.default, module.default?.default].find((item) => item?.make);
      if (!exports?.make) throw new TypeError(`${entry} exports no make function`);
      const hooks = new CodeHooks(exports);
      const bytes = Buffer.from(values.buffer, values.byteOffset, values.length);
      const captured = bytes.length === 0 ? undefined : decode(bytes, 0, bytes.length, hooks.decode);
      const body = exports.make(captured, hooks.know) as Body;
      this.body = inspect ? (await import("./inspected.ts")).inspected(body, post) : body;
      this.hooks = hooks;
    } catch (error) {
      this.failure = { error };
    }
  }
}
