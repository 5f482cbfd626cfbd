import { pathToFileURL } from "node:url";
import { decode } from "../../../values/decode.ts";
import type { BindMessage } from "./messages.ts";

type Body = (...args: unknown[]) => unknown;
interface EntryModule {
  readonly make?: (values: unknown) => Body;
  readonly default?: EntryModule;
}

/** A function in this thread, with the values that it closes over. */
export class Bind {
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Set once loaded. */
  body: Body | undefined;
  failure: { readonly error: unknown } | undefined;
  /** A task waits for it to load. */
  awaited = false;
  readonly loaded: Promise<void>;

  constructor(message: BindMessage) {
    this.stdout = message.stdout;
    this.stderr = message.stderr;
    this.loaded = this.#load(message);
  }

  /** Loaded, or failed to. */
  get settled(): boolean {
    return this.body !== undefined || this.failure !== undefined;
  }

  async #load({ entry, values }: BindMessage): Promise<void> {
    try {
      const module = (await import(pathToFileURL(entry).href)) as EntryModule;
      const make = module.make ?? module.default?.make ?? module.default?.default?.make;
      if (!make) throw new TypeError(`${entry} exports no make function`);
      this.body = make(
        values.length === 0
          ? undefined
          : decode(Buffer.from(values.buffer, values.byteOffset, values.length), 0, values.length),
      );
    } catch (error) {
      this.failure = { error };
    }
  }
}
