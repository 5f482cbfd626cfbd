import { mkdir, open, type FileHandle, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Intent, ProviderReference } from "../../providers/cloud-provider.ts";
import type { Book } from "../../providers/book.ts";
import { thisController } from "./controller.ts";
import type { Entry, OpenEntry } from "./entry.ts";
import { ownerId } from "./owner.ts";
import { stateDir } from "./state-dir.ts";

/** An entry as it is given: version and time are the ledger's. */
type Given<E = Entry> = E extends Entry ? Omit<E, "v" | "at"> : never;

type Adopted = Pick<Intent, "name" | "tags" | "ttlS">;

/** Stands in the place of a controller for a machine that was kept. */
export const keeperOf = (name: string): string => `kept-${name}`;

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
  readonly #dir: string;
  readonly #open = new Map<string, OpenEntry>();
  #handle: FileHandle | undefined;
  /** Lines are written one after the other. */
  #last: Promise<void> = Promise.resolve();

  private constructor(dir: string, owner: string, controller: string) {
    this.owner = owner;
    this.controller = controller;
    this.#dir = dir;
    this.#file = ledgerFile(dir, controller);
  }

  static async open(dir: string, controller: string = thisController()): Promise<Ledger> {
    return new Ledger(dir, await ownerId(dir), controller);
  }

  intended({ name, tags: { pool, owner, controller }, ttlS }: Intent, provider: ProviderReference): Promise<void> {
    return this.#intend({ name, provider, pool, owner, controller, ttlS });
  }

  created(name: string, id: string): Promise<void> {
    const known = this.#open.get(name);
    if (known) this.#open.set(name, { ...known, id });
    return this.#write({ type: "created", name, id });
  }

  /** The machine's lines go into a file of their own, for whoever takes it up or removes it. */
  async kept(name: string, untilMs: number): Promise<void> {
    const { id, ...intent } = this.#open.get(name)!;
    const lines: Entry[] = [{ v: 1, type: "intent", ...intent, keptUntil: untilMs }];
    if (id !== undefined) lines.push({ v: 1, type: "created", at: Date.now(), name, id });
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
    await writeFile(ledgerFile(this.#dir, keeperOf(name)), text, { mode: 0o600, flush: true });
    await syncFolder(join(this.#dir, "ledger"));
    await this.gone(name);
  }

  async adopted({ name, tags, ttlS }: Adopted, id: string, provider: ProviderReference): Promise<void> {
    const { pool, owner } = tags;
    await this.#intend({ name, provider, pool, owner, controller: this.controller, ttlS });
    await this.created(name, id);
    await rm(ledgerFile(this.#dir, keeperOf(name)), { force: true });
  }

  async gone(name: string): Promise<void> {
    this.#open.delete(name);
    await this.#write({ type: "gone", name });
  }

  #intend(entry: Omit<OpenEntry, "at" | "id">): Promise<void> {
    this.#open.set(entry.name, { at: Date.now(), ...entry });
    return this.#write({ type: "intent", ...entry });
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
    await syncFolder(folder);
    return handle;
  }
}

/** Without this a crash of the computer may forget a new file, whatever was synced in it. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  await handle.sync().finally(() => handle.close());
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
