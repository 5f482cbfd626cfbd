import type { ResolvedImage } from "../image/image.ts";

/**
 * Where machines are created: a cloud, or an engine for containers. Seven calls, all of them safe to repeat; retries,
 * lost answers, the ledger and SSH are its caller's. docs/providers.md says how to write one.
 *
 * Errors of all calls: `SKY_PROVIDER_CAPACITY` and `SKY_PROVIDER_REFUSED` promise that nothing was created;
 * `SKY_PROVIDER_BUSY` too, and that a later try may succeed; anything else leaves it open.
 *
 * @typeParam P what `prepare` made and `provision` and `teardown` need
 */
export interface CloudProvider<P = unknown> {
  readonly name: string;
  /** Whose hardware it is. From a stranger only plain values are accepted. */
  readonly trust: "ours" | "stranger";
  /** How a machine can end its own cost: by shutting down, by a token for itself, or not at all. */
  readonly selfEnd: "os" | "scoped-token" | "none";
  /** What makes this provider again in another process, to sweep: plain data, no secrets. */
  readonly reference: ProviderReference;
  /**
   * What its machines are made from, as text: a machine that was kept goes on only in a pool of the same.
   * @default the reference
   */
  readonly shape?: string;
  /** @throws SkyError SKY_BAD_OPTION where its machines can't be made so; called before anything is made */
  checkImage?(image: ResolvedImage): void;
  /** Machine shapes that can be had, in any order. */
  offers(signal: AbortSignal): AsyncIterable<Offer>;
  /** Makes what the machines of one pool share: an image at hand, a network, a key. Called once, before the first machine. */
  prepare(order: Order, signal: AbortSignal): Promise<P>;
  /**
   * Creates one machine, named and tagged by the intent in the very call that creates it. It may still be starting when
   * this resolves. A machine of this name that is there already is the answer too.
   */
  provision(intent: Intent, prepared: P, signal: AbortSignal): Promise<Instance>;
  /** Every machine with this owner, whatever its state, but those that are gone. */
  list(owner: string, signal: AbortSignal): Promise<readonly Instance[]>;
  /** The machine as it is now; undefined when there is none, or none any more. */
  describe(id: string, signal: AbortSignal): Promise<Instance | undefined>;
  /** Ends the machine. One that is gone already is success. It may still be there for a moment when this resolves. */
  terminate(id: string, signal: AbortSignal): Promise<void>;
  /** Removes what `prepare` made, when no machine of the pool is left. */
  teardown(prepared: P, signal: AbortSignal): Promise<void>;
  /** Keeps a machine that was made ready, so that the next one of the same environment starts from there. */
  save?(id: string, prepared: P, signal: AbortSignal): Promise<void>;
  /**
   * How long the machine lives on by its own lease, asked of the machine itself, in s: 0 or less where it is over,
   * Infinity where there is none; undefined where it does not answer. Left out where there is no way to ask.
   */
  leaseLeft?(id: string, signal: AbortSignal): Promise<number | undefined>;
}

export interface ProviderReference {
  /** "container" */
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/** One machine shape with its price. */
export interface Offer {
  readonly id: string;
  readonly vcpus: number;
  readonly memoryGb: number;
  /** USD per hour. */
  readonly price: number;
}

/** What all machines of a pool have in common. */
export interface Order {
  readonly pool: string;
  readonly owner: string;
  /** "ssh-ed25519 AAAA...": who may log in. */
  readonly authorizedKey: string;
  /** Hash of all that is installed on the machines before tasks run. */
  readonly environment: string;
  /** Tells the user what a long step does: "pulls debian:12". */
  readonly tell: (words: string) => void;
}

/** Carried by every machine, from the moment it exists. */
export interface Tags {
  /** Who made it: one id per user and computer. */
  readonly owner: string;
  /** The process that made it. */
  readonly controller: string;
  readonly pool: string;
  /** Equals the machine's name. */
  readonly intent: string;
  /** The intent's `ttlS`, so that what nothing else is known of can be told to be over. */
  readonly ttl: string;
}

/** A machine that is to be, written to the ledger before it is asked for. */
export interface Intent {
  /** The machine's name: lower-case letters, digits and dashes, at most 63. */
  readonly name: string;
  readonly tags: Tags;
  readonly offer: Offer;
  /** Made by us and put in, so that the machine is known at first contact. OpenSSH's format. */
  readonly hostKey: { readonly privateKey: string; readonly publicKey: string };
  /** How long the machine lives, from its first boot, while nobody renews its lease, in s; 0: for ever. */
  readonly ttlS: number;
}

export interface Instance {
  /** What `describe` and `terminate` take. */
  readonly id: string;
  /** The intent's. */
  readonly name: string;
  readonly tags: Tags;
  readonly state: "starting" | "running" | "ending";
  /** How to log in, once that is known. */
  readonly login?: Login;
  /** Where other machines of the pool reach it. */
  readonly privateAddress?: string;
  /** ms since the epoch, by the provider's clock. */
  readonly createdAt: number;
}

export interface Login {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** "ssh-ed25519 AAAA..." as the provider reports them, where it can't take the intent's. */
  readonly hostKeys?: readonly string[];
}
