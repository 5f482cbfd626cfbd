import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { SkyError } from "../../errors/sky-error.ts";
import { identityOf, type KeyPair, newKeyPair } from "../../ssh/key-pair.ts";
import { hostName, KnownHosts } from "../../ssh/known-hosts.ts";
import type { CloudProvider, Instance, Intent, Offer } from "../cloud-provider.ts";
import type { Keeping, KeptMachine, Machine, Provider, ProvisionRequest } from "../provider.ts";
import { readAgent } from "../ssh/agent-program.ts";
import { SshHost } from "../ssh/host.ts";
import { SshMachine, type SshMachineOptions } from "../ssh/machine.ts";
import { awaitRunning } from "./await-running.ts";
import type { Book } from "../book.ts";
import { CALL_LIMIT_MS, create, createdNothing, failed, find } from "./create.ts";
import { type KeptCreated, type Likeness, likenessOf, mismatchOf, parseKept } from "./kept.ts";
import { CreatedMachine } from "./machine.ts";
import { remove } from "./remove.ts";

/** Where the agent keeps the time at which the machine ends: docs/providers.md, "The lease". */
const LEASE_FILE = "/run/skyward/lease";
/** A link that takes longer than this to come about raises the question whether the machine is still there. */
const DOUBT_MS = 500;
/** How long the first login may take, from when the provider says that the machine runs. */
const LOGIN_LIMIT_MS = 120_000;
/** And to a machine that was kept, before another one is made in its place. */
const ADOPT_LIMIT_MS = 10_000;

export interface CreatedOptions {
  readonly pool: string;
  /** Hash of all that is installed before tasks run. */
  readonly environment: string;
  /** How long a machine outlives its controller's silence, in ms; 0: for ever. */
  readonly ttlMs: number;
  readonly book: () => Promise<Book>;
  /** The agent's program. @default the bundled agent */
  readonly agent?: string;
}

/** A machine that is there, and how to get in. */
type Made = Omit<KeptCreated, "agent" | "like"> & Pick<Intent, "name">;

interface Prepared<P> {
  readonly book: Book;
  readonly key: KeyPair;
  readonly offers: readonly Offer[];
  readonly own: P;
}

/** Machines of a provider that creates them, as a pool uses them: each on record before it exists, and gone at the end. */
export function created<P>(cloud: CloudProvider<P>, options: CreatedOptions): Provider {
  return new Fleet(cloud, options);
}

class Fleet<P> implements Provider {
  readonly name: string;
  readonly trust: "ours" | "stranger";
  readonly selfEnd: "os" | "scoped-token" | "none";
  readonly warning: string | undefined;
  readonly #cloud: CloudProvider<P>;
  readonly #like: Likeness;
  readonly #options: CreatedOptions;
  /** Machines that may be there: whoever closes waits for all of them. */
  readonly #lives = new Set<Promise<unknown>>();
  #prepared: Promise<Prepared<P>> | undefined;
  #saved = false;
  /** The key to a machine of an earlier run that was taken up. */
  #adopted: KeyPair | undefined;
  #keeps = false;

  constructor(cloud: CloudProvider<P>, options: CreatedOptions) {
    this.#cloud = cloud;
    this.#options = options;
    this.#like = likenessOf(cloud, options.environment);
    this.name = cloud.name;
    this.trust = cloud.trust;
    this.selfEnd = cloud.selfEnd;
    const why = options.ttlMs === 0 ? "have no lease (ttl is 0)" : "can't end themselves";
    if (options.ttlMs === 0 || cloud.selfEnd === "none") {
      this.warning = `machines of ${cloud.name} ${why}: should this program be killed, run sky sweep --yes`;
    }
  }

  provision(request: ProvisionRequest, signal: AbortSignal): Promise<Machine> {
    signal.throwIfAborted();
    const coming = this.#provision(request, signal);
    this.#hold(coming);
    return coming;
  }

  readonly keeping: Keeping = {
    mismatch: (kept) => mismatchOf(kept, this.#like),
    adopt: (kept, request, signal) => {
      signal.throwIfAborted();
      const coming = this.#adopt(kept, request, signal);
      this.#hold(coming);
      return coming;
    },
  };

  async close(): Promise<void> {
    while (this.#lives.size > 0) await Promise.allSettled(this.#lives);
    // What the machines share goes with the last of them.
    if (this.#keeps) return;
    if (this.#adopted) this.#prepared ??= this.#prepare(AbortSignal.timeout(CALL_LIMIT_MS), this.#adopted);
    const prepared = await this.#prepared?.catch(() => undefined);
    if (prepared) await this.#cloud.teardown(prepared.own, AbortSignal.timeout(CALL_LIMIT_MS));
  }

  #hold(life: Promise<unknown>): void {
    this.#lives.add(life);
    const over = (): void => void this.#lives.delete(life);
    life.then(over, over);
  }

  async #provision({ rank, onPhase }: ProvisionRequest, signal: AbortSignal): Promise<Machine> {
    onPhase?.("prepare");
    this.#prepared ??= this.#prepare(signal);
    const prepared = await this.#prepared.catch((error: unknown) => {
      this.#prepared = undefined;
      throw error;
    });
    onPhase?.("create");
    const { intent, instance } = await this.#create(rank, prepared, signal);
    try {
      onPhase?.("start");
      const running = await awaitRunning(this.#cloud, instance, signal);
      onPhase?.("connect");
      const { privateAddress: address = running.login.host, id, login } = running;
      const { name, tags, ttlS, hostKey } = intent;
      const known = { name, tags, ttlS, id, login, hostKey: hostKey.publicKey, address, key: prepared.key };
      return await this.#reach(known, prepared.book, { onPhase }, signal);
    } catch (error) {
      await this.#remove(prepared.book, intent.name, instance.id);
      throw error;
    }
  }

  async #adopt(kept: KeptMachine, { onPhase }: ProvisionRequest, signal: AbortSignal): Promise<Machine> {
    const { id, tags, login, hostKey, address, key, ttlS, agent } = parseKept(kept)!;
    onPhase?.("connect");
    const known = { name: kept.name, tags, ttlS, id, login, hostKey, address, key };
    const gone = async (): Promise<void> => {
      if (await this.#cloud.describe(id, AbortSignal.any([signal, AbortSignal.timeout(CALL_LIMIT_MS)]))) return;
      throw new SkyError("SKY_PROVIDER_FAILED", `${kept.name} is gone: ${this.name} has it no more`);
    };
    const book = await this.#options.book();
    const both = new AbortController();
    const limit = AbortSignal.any([signal, both.signal, AbortSignal.timeout(ADOPT_LIMIT_MS)]);
    const reaching = this.#reach(known, book, { onPhase, kept: agent }, limit);
    try {
      const [machine] = await Promise.all([reaching, gone()]);
      // From here on this program answers for it.
      await book.adopted(known, id, this.#cloud.reference);
      this.#adopted = key;
      return machine;
    } catch (error) {
      both.abort();
      reaching.catch(() => undefined);
      throw error;
    }
  }

  async #prepare(signal: AbortSignal, given?: KeyPair): Promise<Prepared<P>> {
    const { pool, environment } = this.#options;
    const [book, key, offers] = await Promise.all([
      this.#options.book(),
      given ?? newKeyPair(),
      all(this.#cloud.offers(signal)),
    ]);
    if (offers.length === 0)
      throw new SkyError("SKY_PROVIDER_CAPACITY", `${this.name} offers no machine of the shape that was asked for`);
    offers.sort((a, b) => a.price - b.price);
    try {
      const order = { pool, owner: book.owner, authorizedKey: key.publicKey, environment };
      return { book, key, offers, own: await this.#cloud.prepare(order, signal) };
    } catch (error) {
      signal.throwIfAborted();
      throw failed(this.#cloud, "prepare", error);
    }
  }

  /** The cheapest offer that can be had. */
  async #create(
    rank: number,
    { book, offers, own }: Prepared<P>,
    signal: AbortSignal,
  ): Promise<{ intent: Intent; instance: Instance }> {
    let refusal: unknown;
    for (const offer of offers) {
      const intent = await this.#intent(rank, offer, book);
      await book.intended(intent, this.#cloud.reference);
      try {
        const instance = await create(this.#cloud, intent, own, signal);
        await book.created(intent.name, instance.id);
        return { intent, instance };
      } catch (error) {
        if (createdNothing(error)) await book.gone(intent.name);
        else await this.#abandon(book, intent);
        if (!(error instanceof SkyError && error.code === "SKY_PROVIDER_CAPACITY")) throw error;
        refusal = error;
      }
    }
    throw refusal;
  }

  async #intent(rank: number, offer: Offer, { owner, controller }: Book): Promise<Intent> {
    const { pool, ttlMs } = this.#options;
    const plain = pool
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .slice(0, 30);
    const name = `sky-${plain}-${rank}-${randomBytes(5).toString("hex")}`;
    const hostKey = await newKeyPair();
    return { name, tags: { owner, controller, pool, intent: name }, offer, hostKey, ttlS: Math.ceil(ttlMs / 1000) };
  }

  async #reach(
    made: Made,
    book: Book,
    { onPhase, kept }: Pick<SshMachineOptions, "onPhase" | "kept">,
    signal: AbortSignal,
  ): Promise<Machine> {
    const { id, name, login, hostKey, key, address } = made;
    const { host, port, user, hostKeys = [hostKey] } = login;
    const lines = hostKeys.map((one) => `${hostName(host, port)} ${one}`);
    const options = {
      target: { host, port, user },
      identities: [await identityOf(key)],
      knownHosts: new KnownHosts(lines.join("\n"), [`what ${this.name} was given for ${name}`]),
    };
    const way = new SshHost(options, await readAgent(this.#options.agent));
    const limit = AbortSignal.any([signal, AbortSignal.timeout(LOGIN_LIMIT_MS)]);
    const { ttlMs } = this.#options;
    const connection = await way.connect(limit, true);
    const ssh = new SshMachine(way, connection, { onPhase, kept, leaseMs: ttlMs, leaseFile: LEASE_FILE });
    return new CreatedMachine(ssh, {
      name,
      provider: this.name,
      address,
      renewMs: kept ? 0 : ttlMs / 3,
      ready: () => (kept ? undefined : this.#save(id)),
      gone: (until) => this.#isGone(id, until),
      remove: () => this.#remove(book, name, id),
      keep: (untilMs) => this.#keep(made, book, untilMs),
    });
  }

  async #keep(made: Made, book: Book, untilMs: number): Promise<Omit<KeptCreated, "agent">> {
    this.#keeps = true;
    await book.kept(made.name, untilMs);
    const { name: _, ...known } = made;
    return { ...known, like: this.#like };
  }

  /** The first machine that is all that its image says saves the next ones the way there. */
  #save(id: string): void {
    if (this.#saved || !this.#cloud.save) return;
    this.#saved = true;
    const save = async (): Promise<void> => {
      const { own } = await this.#prepared!;
      await this.#cloud.save!(id, own, AbortSignal.timeout(CALL_LIMIT_MS));
    };
    // Worth nothing but time.
    this.#hold(save().catch(() => undefined));
  }

  async #isGone(id: string, signal: AbortSignal): Promise<boolean> {
    try {
      await sleep(DOUBT_MS, undefined, { signal });
      return (await this.#cloud.describe(id, signal)) === undefined;
    } catch {
      return false;
    }
  }

  #remove(book: Book, name: string, id: string): Promise<void> {
    const removing = remove(this.#cloud, id).then(() => book.gone(name));
    this.#hold(removing);
    return removing;
  }

  /** A create call whose outcome nobody knows: what can be found is removed; else the record stays, for a sweep. */
  async #abandon(book: Book, intent: Intent): Promise<void> {
    const found = await find(this.#cloud, intent, AbortSignal.timeout(CALL_LIMIT_MS));
    if (found) await this.#remove(book, intent.name, found.id);
  }
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
