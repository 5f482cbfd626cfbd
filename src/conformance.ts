/**
 * `skyward/conformance`: what every provider that creates machines has to do, whatever happens to its answers, as cases
 * for any test runner. Machines are really created, and ended.
 *
 * ```ts
 * import { it } from "node:test";
 * import { conformance } from "skyward/conformance";
 *
 * for (const { name, run } of conformance(() => acme({ endpoint }))) it(name, run);
 * ```
 */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import * as sky from "./index.ts";
import type { OpenEntry } from "./pool/ledger/entry.ts";
import { readLedger } from "./pool/ledger/read-ledger.ts";
import { ledger } from "./pool/ledger/ledger.ts";
import { stateDir } from "./pool/ledger/state-dir.ts";
import { type Call, type Disturbance, Disturbed, type Plan } from "./providers/conformance/disturbed.ts";
import { newKeyPair } from "./ssh/key-pair.ts";

export interface ConformanceCase {
  readonly name: string;
  /** @throws AssertionError, or what the provider failed with */
  readonly run: () => Promise<void>;
}

export interface ConformanceOptions {
  /** How long a machine takes at most, from being asked for to being gone again, in ms. @default 300_000 */
  readonly limitMs?: number;
}

/** @param make gives the provider; asked once, when the first case runs */
export function conformance(
  make: () => sky.CloudProvider | Promise<sky.CloudProvider>,
  { limitMs = 300_000 }: ConformanceOptions = {},
): readonly ConformanceCase[] {
  const suite = new Suite(make, limitMs);
  return [
    {
      name: "names and tags its machines in the call that creates them, and ends them twice without complaint",
      run: () => suite.tags(),
    },
    { name: "makes one machine of one name, and lists it for its owner alone", run: () => suite.onceEach() },
    { name: "has machines that end by themselves when their lease is over", run: () => suite.lease() },
    {
      name: "opens with the machines that there is capacity for, and says so when they are too few",
      run: () => suite.capacity(),
    },
    {
      name: "adopts the machine of a create call whose answer was lost",
      run: () =>
        suite.use(firstOf(1, "provision", { type: "lost" }), async (pool, { calls }) => {
          await suite.works(pool);
          assert.equal(calls.provision, 1);
          assert.equal((await suite.there(pool.name)).length, 1);
        }),
    },
    {
      name: "has one machine where a create call timed out and was done later",
      run: () =>
        suite.use(firstOf(1, "provision", { type: "late", ms: 1000 }), async (pool) => {
          await suite.works(pool);
          assert.equal((await suite.there(pool.name)).length, 1);
        }),
    },
    {
      name: "waits for a machine that is young, and for a describe that lags and fails",
      run: () =>
        suite.use((call, n) => {
          if (call === "provision") return { type: "young" };
          return call === "describe" ? ([{ type: "unknown" }, broken, { type: "young" }] as const)[n] : undefined;
        }, suite.works),
    },
    {
      name: "waits where calls are too many, whichever they are",
      run: () => suite.use((_, n) => (n < 2 ? refusing("SKY_PROVIDER_BUSY") : undefined), suite.works),
    },
    {
      name: "ends machines although ending them fails twice, and lags",
      run: () => suite.use(firstOf(2, "terminate", broken), suite.works),
    },
    { name: "says what failed, and leaves nothing, when a call always fails", run: () => suite.failures() },
  ];
}

const broken: Disturbance = { type: "error", error: new Error("internal server error (500)") };
const refusing = (code: sky.ErrorCode): Disturbance => ({ type: "error", error: new sky.SkyError(code, code) });
const firstOf =
  (count: number, call: Call, how: Disturbance): Plan =>
  (one, n) =>
    one === call && n < count ? how : undefined;
const always =
  (call: Call): Plan =>
  (one) =>
    one === call ? broken : undefined;
const double = sky.fn((x: number) => x * 2);

class Suite {
  readonly #make: () => sky.CloudProvider | Promise<sky.CloudProvider>;
  readonly #limitMs: number;
  #made: Promise<sky.CloudProvider> | undefined;
  #pools = 0;

  constructor(make: () => sky.CloudProvider | Promise<sky.CloudProvider>, limitMs: number) {
    this.#make = make;
    this.#limitMs = limitMs;
  }

  async tags(): Promise<void> {
    const provider = await this.#provider();
    const { owner } = await ledger();
    const machine = await this.use(
      () => undefined,
      async (pool) => {
        await this.works(pool);
        assert.equal((await onRecord(pool.name)).length, 1);
        return (await this.there(pool.name))[0];
      },
    );
    assert(machine, "list gives the machine of an open pool");
    const { tags, id, name } = machine;
    assert.deepEqual({ owner: tags.owner, name: tags.intent, ttl: tags.ttl }, { owner, name, ttl: "600" });
    assert.match(tags.controller, new RegExp(`^${process.pid}-`));
    for (const gone of [id, "sky-never-was"]) {
      await provider.terminate(gone, this.#signal());
      assert.equal(await provider.describe(gone, this.#signal()), undefined, `there is no ${gone}`);
    }
  }

  async onceEach(): Promise<void> {
    await this.#raw(600, async (provider, intent, prepared) => {
      const first = await provider.provision(intent, prepared, this.#signal());
      const again = await provider.provision(intent, prepared, this.#signal());
      assert.equal(again.id, first.id, "the same name is the same machine");
      const mine = await provider.list(intent.tags.owner, this.#signal());
      assert.equal(mine.filter(({ name }) => name === intent.name).length, 1);
      const others = await provider.list("0123456789abcdef", this.#signal());
      assert.deepEqual(others, [], "another owner has no machines");
    });
  }

  async lease(): Promise<void> {
    const { selfEnd } = await this.#provider();
    if (selfEnd === "none") return;
    await this.#raw(10, async (provider, intent, prepared) => {
      const { id } = await provider.provision(intent, prepared, this.#signal());
      const until = performance.now() + this.#limitMs;
      let asked = false;
      for (;;) {
        const now = await provider.describe(id, this.#signal());
        if (now?.state === "running" && provider.leaseLeft && !asked) {
          const left = await provider.leaseLeft(id, this.#signal());
          // It may not answer yet, or no more.
          if (left !== undefined) assert(left <= 10, `its lease of 10 s has ${left} s left`);
          asked = left !== undefined;
        }
        if (now === undefined || now.state === "ending") break;
        assert(performance.now() < until, "it ends by itself");
        await sleep(500);
      }
      if (provider.leaseLeft) assert(asked, "it says how much of its lease is left");
    });
  }

  async capacity(): Promise<void> {
    const onlyOne: Plan = (call, n) => (call === "provision" && n > 0 ? refusing("SKY_PROVIDER_CAPACITY") : undefined);
    await this.use(onlyOne, this.works, { nodes: { desired: 2, min: 1 } });
    await assert.rejects(this.use(onlyOne, this.works, { nodes: 2 }), { code: "SKY_PROVIDER_CAPACITY" });
  }

  async failures(): Promise<void> {
    for (const call of ["prepare", "provision"] as const) {
      // A create call that may have been done stays on record.
      const failing = this.use(always(call), this.works, { unknown: call === "provision" ? 1 : 0 });
      await assert.rejects(failing, { code: "SKY_PROVIDER_FAILED", message: new RegExp(`${call}.*internal server`) });
    }
    for (const call of ["list", "save", "teardown"] as const) await this.use(always(call), this.works);
  }

  /** Uses a pool over the provider, and sees that nothing is left of it. */
  async use<T>(
    plan: Plan,
    body: (pool: sky.Pool, disturbed: Disturbed<unknown>) => Promise<T>,
    { nodes = 1, unknown = 0 }: { nodes?: sky.NodesSpec; unknown?: number } = {},
  ): Promise<T> {
    const provider = new Disturbed(await this.#provider(), plan);
    const name = `conformance-${process.pid}-${++this.#pools}`;
    const options = { name, provider, nodes, console: "silent" as const };
    const [outcome] = await Promise.allSettled([sky.compute(options, (pool) => body(pool, provider))]);
    assert.deepEqual(await this.there(name), [], "no machine is left");
    assert.equal((await onRecord(name)).length, unknown, "machines that nobody knows to be gone");
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  }

  readonly works = async (pool: sky.Pool): Promise<void> => assert.equal(await pool.run(double(21)), 42);

  /** The machines of a pool that are there. */
  async there(pool: string): Promise<readonly sky.Instance[]> {
    const [provider, { owner }] = await Promise.all([this.#provider(), ledger()]);
    return (await provider.list(owner, this.#signal())).filter(({ tags }) => tags.pool === pool);
  }

  /** A machine without a pool, on record as any other. */
  async #raw(
    ttlS: number,
    body: (provider: sky.CloudProvider, intent: sky.Intent, prepared: unknown) => Promise<void>,
  ): Promise<void> {
    const [provider, book, key, hostKey] = [
      await this.#provider(),
      await ledger(),
      await newKeyPair(),
      await newKeyPair(),
    ];
    const { owner, controller } = book;
    const pool = `conformance-${process.pid}-${++this.#pools}`;
    const name = `sky-${pool}-0`;
    const offer = await firstOffer(provider, this.#signal());
    assert(offer, "it offers a machine");
    const tags = { owner, controller, pool, intent: name, ttl: String(ttlS) };
    const intent: sky.Intent = { name, tags, offer, hostKey, ttlS };
    const order = { pool, owner, authorizedKey: key.publicKey, environment: "none", tell: () => undefined };
    const prepared = await provider.prepare(order, this.#signal());
    await book.intended(intent, provider.reference);
    try {
      await body(provider, intent, prepared);
    } finally {
      for (const { id } of await this.there(pool)) await this.#end(provider, id);
      await book.gone(name);
      await provider.teardown(prepared, this.#signal());
    }
  }

  async #end(provider: sky.CloudProvider, id: string): Promise<void> {
    do {
      await provider.terminate(id, this.#signal());
    } while ((await provider.describe(id, this.#signal())) !== undefined && (await sleep(500, true)));
  }

  #provider(): Promise<sky.CloudProvider> {
    return (this.#made ??= Promise.resolve(this.#make()));
  }

  #signal(): AbortSignal {
    return AbortSignal.timeout(this.#limitMs);
  }
}

/** The machines of a pool on record. */
async function onRecord(pool: string): Promise<readonly OpenEntry[]> {
  return (await readLedger(stateDir())).flatMap(({ entries }) => entries.filter((one) => one.pool === pool));
}

async function firstOffer(provider: sky.CloudProvider, signal: AbortSignal): Promise<sky.Offer | undefined> {
  for await (const offer of provider.offers(signal)) return offer;
  return undefined;
}
