import { mkdir, open, type FileHandle, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Intent, ProviderReference } from "../../providers/cloud-provider.ts";
import type { Book } from "../../providers/book.ts";
import { thisController } from "./controller.ts";
import type { Entry } from "./entry.ts";
import { ownerId } from "./owner.ts";
import { stateDir } from "./state-dir.ts";

/** An entry as it is given: version and time are the ledger's. */
type Given<E = Entry> = E extends Entry ? Omit<E, "v" | "at"> : never;

/** Where a controller's lines lie. */
export function ledgerFile(dir: string, controller: string): string {
  return join(dir, "ledger", `${controller}.jsonl`);
}

/**
 * The durable record of every machine that this process creates: a file of its own, so that no lock is needed, which
 * goes when all of its machines have.
 */
export class Ledger implements Book {
  readonly owner: string;
  readonly controller: string;
  readonly #file: string;
  readonly #open = new Set<string>();
  #handle: FileHandle | undefined;
  /** Lines are written one after the other. */
  #last: Promise<void> = Promise.resolve();

  private constructor(dir: string, owner: string, controller: string) {
    this.owner = owner;
    this.controller = controller;
    this.#file = ledgerFile(dir, controller);
  }

  static async open(dir: string, controller: string = thisController()): Promise<Ledger> {
    return new Ledger(dir, await ownerId(dir), controller);
  }

  intended({ name, tags: { pool, owner, controller }, ttlS }: Intent, provider: ProviderReference): Promise<void> {
    this.#open.add(name);
    return this.#write({ type: "intent", name, provider, pool, owner, controller, ttlS });
  }

  created(name: string, id: string): Promise<void> {
    return this.#write({ type: "created", name, id });
  }

  async gone(name: string): Promise<void> {
    this.#open.delete(name);
    await this.#write({ type: "gone", name });
  }

  #write(entry: Given): Promise<void> {
    const writing = this.#last.then(() => this.#append(entry));
    this.#last = writing.catch(() => undefined);
    return writing;
  }

  async #append(entry: Given): Promise<void> {
    const handle = (this.#handle ??= await this.#create());
    await handle.appendFile(`${JSON.stringify({ v: 1, at: Date.now(), ...entry })}\n`);
    if (this.#open.size > 0) return handle.datasync();
    // Nothing is left to be remembered.
    this.#handle = undefined;
    await handle.close();
    await rm(this.#file, { force: true });
  }

  async #create(): Promise<FileHandle> {
    const folder = join(this.#file, "..");
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const handle = await open(this.#file, "a", 0o600);
    // Without this a crash of the computer may forget the file, whatever was synced in it.
    const parent = await open(folder, "r");
    await parent.sync().finally(() => parent.close());
    return handle;
  }
}

let ours: Promise<Ledger> | undefined;

/** The ledger of this process. */
export function ledger(): Promise<Ledger> {
  ours ??= Ledger.open(stateDir()).catch((error: unknown) => {
    ours = undefined;
    throw error;
  });
  return ours;
}
