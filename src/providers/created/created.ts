import { createHash, randomBytes } from "node:crypto";
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
import { checkProvider } from "./check-provider.ts";
import { create, createdNothing, find } from "./create.ts";
import { type KeptCreated, type Likeness, likenessOf, mismatchOf, parseKept } from "./kept.ts";
import { CreatedMachine } from "./machine.ts";
import { remove } from "./remove.ts";
import { watched } from "./watched.ts";

/** Where the agent keeps the time at which the machine ends: docs/providers.md, "The lease". */
const LEASE_FILE = "/run/skyward/lease";
/** How long a pool that closes waits for what its machines shared to be found. */
const CLOSE_LIMIT_MS = 120_000;
const NEVER = new AbortController().signal;
/** A link that takes longer than this to come about raises the question whether the machine is still there. */
const DOUBT_MS = 500;
/** How long the first login may take, from when the provider says that the machine runs. */
const LOGIN_LIMIT_MS = 120_000;
/** And to a machine that was kept, before another one is made in its place. */
const ADOPT_LIMIT_MS = 10_000;

export interface CreatedOptions {
  readonly pool: string;
  /** All that is installed before tasks run, but for the agent, as text. */
  readonly environment: string;
  /** How long a machine outlives its controller's silence, in ms; 0: for ever. */
  readonly ttlMs: number;
  readonly book: () => Promise<Book>;
  /** The agent's program. @default the bundled agent */
  readonly agent?: string;
}

/** A machine that is there, and how to get in. */
type Made = Omit<KeptCreated, "agent" | "like"> & Pick<Intent, "name">;

/** A provider's calls, and where is told what they wait for. */
interface Calls<P> {
  readonly cloud: CloudProvider<P>;
  readonly say: (words: string) => void;
}

/** The same for one node, whose phase it is. */
interface Told<P> extends Calls<P> {
  /** @param silent the phase is told only with what it waits for */
  readonly enter: (phase: string, silent?: boolean) => void;
}

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
  readonly #given: CloudProvider<P>;
  /** The same, watched, for calls that are of no node. */
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
    checkProvider(cloud);
    this.#given = cloud;
    this.#cloud = watched(cloud);
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
    if (this.#adopted)
      this.#prepared ??= this.#prepare(
        { cloud: this.#cloud, say: () => undefined },
        AbortSignal.timeout(CLOSE_LIMIT_MS),
        this.#adopted,
      );
    const prepared = await this.#prepared?.catch(() => undefined);
    if (prepared) await this.#cloud.teardown(prepared.own, NEVER);
  }

  #hold(life: Promise<unknown>): void {
    this.#lives.add(life);
    const over = (): void => void this.#lives.delete(life);
    life.then(over, over);
  }

  async #provision({ rank, onPhase }: ProvisionRequest, signal: AbortSignal): Promise<Machine> {
    const told = this.#told(onPhase);
    const { cloud, enter, say } = told;
    enter("prepare");
    this.#prepared ??= this.#prepare(told, signal);
    const prepared = await this.#prepared.catch((error: unknown) => {
      this.#prepared = undefined;
      throw error;
    });
    enter("create");
    const { intent, instance } = await this.#create(rank, prepared, told, signal);
    try {
      enter("start");
      const running = await awaitRunning(cloud, instance, signal, say);
      enter("connect");
      const { privateAddress: address = running.login.host, id, login } = running;
      const { name, tags, ttlS, hostKey } = intent;
      const known = { name, tags, ttlS, id, login, hostKey: hostKey.publicKey, address, key: prepared.key };
      return await this.#reach(known, prepared.book, told, { onPhase }, signal);
    } catch (error) {
      enter("end");
      await this.#remove(prepared.book, intent.name, instance.id, told);
      throw error;
    }
  }

  /** The provider for the sake of one node: what keeps it waiting is told as the node's phase. */
  #told(onPhase: ProvisionRequest["onPhase"]): Told<P> {
    let now = "";
    const say = (words: string): void => onPhase?.(`${now}: ${words}`);
    const enter = (phase: string, silent = false): void => {
      now = phase;
      if (!silent) onPhase?.(phase);
    };
    return { cloud: watched(this.#given, say), enter, say };
  }

  async #adopt(kept: KeptMachine, { onPhase }: ProvisionRequest, signal: AbortSignal): Promise<Machine> {
    const { id, tags, login, hostKey, address, key, ttlS, agent } = parseKept(kept)!;
    onPhase?.("connect");
    const known = { name: kept.name, tags, ttlS, id, login, hostKey, address, key };
    const gone = async (): Promise<void> => {
      if (await this.#cloud.describe(id, signal)) return;
      throw new SkyError("SKY_PROVIDER_FAILED", `${kept.name} is gone: ${this.name} has it no more`);
    };
    const book = await this.#options.book();
    const both = new AbortController();
    const limit = AbortSignal.any([signal, both.signal, AbortSignal.timeout(ADOPT_LIMIT_MS)]);
    const reaching = this.#reach(known, book, this.#told(onPhase), { onPhase, kept: agent }, limit);
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

  async #prepare({ cloud, say: tell }: Calls<P>, signal: AbortSignal, given?: KeyPair): Promise<Prepared<P>> {
    const { pool } = this.#options;
    const [book, key, agent, offers] = await Promise.all([
      this.#options.book(),
      given ?? newKeyPair(),
      readAgent(this.#options.agent),
      all(cloud.offers(signal)),
    ]);
    if (offers.length === 0)
      throw new SkyError("SKY_PROVIDER_CAPACITY", `${this.name} offers no machine of the shape that was asked for`);
    offers.sort((a, b) => a.price - b.price);
    const parts = [this.#options.environment, agent.file.sha256];
    const environment = createHash("sha256").update(parts.join("\n")).digest("hex");
    const order = { pool, owner: book.owner, authorizedKey: key.publicKey, environment, tell };
    return { book, key, offers, own: await cloud.prepare(order, signal) };
  }

  /** The cheapest offer that can be had. */
  async #create(
    rank: number,
    { book, offers, own }: Prepared<P>,
    { cloud, say }: Told<P>,
    signal: AbortSignal,
  ): Promise<{ intent: Intent; instance: Instance }> {
    let refusal: unknown;
    for (const offer of offers) {
      const intent = await this.#intent(rank, offer, book);
      await book.intended(intent, this.#cloud.reference);
      try {
        const instance = await create(cloud, intent, own, signal, say);
        await book.created(intent.name, instance.id);
        return { intent, instance };
      } catch (error) {
        if (createdNothing(error)) await book.gone(intent.name);
        else await this.#abandon(book, intent, { cloud, say });
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
    const ttlS = Math.ceil(ttlMs / 1000);
    return { name, tags: { owner, controller, pool, intent: name, ttl: String(ttlS) }, offer, hostKey, ttlS };
  }

  async #reach(
    made: Made,
    book: Book,
    told: Told<P>,
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
      remove: () => {
        told.enter("end", true);
        return this.#remove(book, name, id, told);
      },
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
      await this.#cloud.save!(id, own, NEVER);
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

  #remove(book: Book, name: string, id: string, { cloud, say }: Calls<P>): Promise<void> {
    const removing = remove(cloud, id, say).then(() => book.gone(name));
    this.#hold(removing);
    return removing;
  }

  /** A create call whose outcome nobody knows: what can be found is removed; else the record stays, for a sweep. */
  async #abandon(book: Book, intent: Intent, told: Calls<P>): Promise<void> {
    const found = await find(told.cloud, intent, NEVER, told.say);
    if (found) await this.#remove(book, intent.name, found.id, told);
  }
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
