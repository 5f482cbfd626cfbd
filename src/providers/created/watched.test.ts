import { afterEach, describe, expect, it, vi } from "vitest";
import type { ErrorCode } from "../../errors/codes.ts";
import { SkyError } from "../../errors/sky-error.ts";
import type { CloudProvider, Instance, Intent, Order } from "../cloud-provider.ts";
import { watched } from "./watched.ts";

const tags = { owner: "o", controller: "c", pool: "p", intent: "m", ttl: "60" };
const intent = { name: "m", tags } as Intent;
const machine: Instance = { id: "i-1", name: "m", tags, state: "running", createdAt: 1 };
const order = {} as Order;
const NEVER = new AbortController().signal;

const acme = (more: object): CloudProvider =>
  ({ name: "acme", trust: "ours", selfEnd: "os", reference: { name: "acme", options: {} }, ...more }) as CloudProvider;
const offersOf = async (cloud: CloudProvider): Promise<void> => {
  for await (const _ of watched(cloud).offers(NEVER)) continue;
};
const fails = (message: RegExp, code: ErrorCode = "SKY_PROVIDER_FAILED"): object =>
  expect.objectContaining({ code, message: expect.stringMatching(message) as string }) as object;

afterEach(() => void vi.useRealTimers());

describe("a watched provider", () => {
  it("gives on what is right", async () => {
    const cloud = watched(
      acme({ provision: async () => machine, list: async () => [machine], describe: async () => null }),
    );
    expect(await cloud.provision(intent, {}, NEVER)).toBe(machine);
    expect(await cloud.list("o", NEVER)).toEqual([machine]);
    expect(await cloud.describe("i-1", NEVER)).toBeUndefined();
    expect(cloud.save).toBeUndefined();
  });

  it.each<[string, object, (cloud: CloudProvider) => Promise<unknown>, RegExp]>([
    [
      "throws",
      {
        list: async () => {
          throw new Error("500");
        },
      },
      (one) => one.list("o", NEVER),
      /^acme: list: 500$/,
    ],
    [
      "throws at once",
      {
        describe: () => {
          throw new Error("no");
        },
      },
      (one) => one.describe("i-1", NEVER),
      /^acme: describe i-1: no$/,
    ],
    [
      "throws nothing",
      {
        terminate: () => Promise.reject(undefined),
      },
      (one) => one.terminate("i-1", NEVER),
      /^acme: terminate i-1: it threw undefined$/,
    ],
    [
      "yields no offers",
      { offers: () => undefined },
      offersOf,
      /^acme: offers: it must yield offers; it gave undefined$/,
    ],
    [
      "yields no offer",
      {
        async *offers() {
          yield { id: "a", price: NaN };
        },
      },
      offersOf,
      /^acme: offers: an offer is \{.*it gave \{"id":"a"/,
    ],
    [
      "makes nothing",
      { provision: async () => undefined },
      (one) => one.provision(intent, {}, NEVER),
      /^acme: provision m: a machine is \{ id, name.*it gave undefined$/,
    ],
    [
      "makes another machine",
      { provision: async () => ({ ...machine, name: "x" }) },
      (one) => one.provision(intent, {}, NEVER),
      /^acme: provision m: it gave the machine x/,
    ],
    [
      "makes one without tags",
      { provision: async () => ({ ...machine, tags: {} }) },
      (one) => one.provision(intent, {}, NEVER),
      /must have the tags of its intent; it has \{\}/,
    ],
    [
      "lists no list",
      { list: async () => undefined },
      (one) => one.list("o", NEVER),
      /^acme: list: it must give a list/,
    ],
    [
      "lists no machine",
      { list: async () => [7] },
      (one) => one.list("o", NEVER),
      /^acme: list: a machine is .*it gave 7$/,
    ],
    [
      "describes in a state of its own",
      { describe: async () => ({ ...machine, state: "up" }) },
      (one) => one.describe("i-1", NEVER),
      /^acme: describe i-1: machine m must be "starting", .*it is "up"$/,
    ],
    [
      "gives half a login",
      { describe: async () => ({ ...machine, login: { host: "h" } }) },
      (one) => one.describe("i-1", NEVER),
      /login is \{ host, port, user \}; it is \{"host":"h"\}/,
    ],
  ])("that %s: the error names provider and call", async (_, more, call, message) => {
    const cloud = acme(more);
    await expect(call === offersOf ? call(cloud) : call(watched(cloud))).rejects.toEqual(fails(message));
  });

  it("keeps an error's code and hint, and names it once", async () => {
    const refused = new SkyError("SKY_PROVIDER_REFUSED", "no such zone", { hint: "Take another." });
    const cloud = watched(watched(acme({ prepare: () => Promise.reject(refused) })));
    await expect(cloud.prepare(order, NEVER)).rejects.toMatchObject({
      code: "SKY_PROVIDER_REFUSED",
      message: "acme: prepare: no such zone",
      hint: "Take another.",
      details: { provider: "acme", call: "prepare" },
    });
  });

  it("does not wait for ever for an answer, nor for one that was told to end", async () => {
    vi.useFakeTimers();
    const said: string[] = [];
    const deaf = watched(
      acme({ describe: () => new Promise(() => undefined), prepare: () => new Promise(() => undefined) }),
      (words) => said.push(words),
    );
    const late = deaf.describe("i-1", NEVER).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(said).toEqual(["acme: describe i-1: waits for its answer"]);
    await vi.advanceTimersByTimeAsync(22_000);
    expect(await late).toEqual(fails(/^acme: describe i-1: no answer in 30 s$/));
    const closing = new AbortController();
    const preparing = deaf.prepare(order, closing.signal).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(3600_000);
    closing.abort(new Error("closed"));
    await vi.advanceTimersByTimeAsync(2000);
    expect(await preparing).toEqual(new Error("closed"));
  });

  it("lets a call that creates answer although its pool closes", async () => {
    const closing = new AbortController();
    const said: string[] = [];
    const cloud = watched(
      acme({
        provision: async (_: Intent, __: unknown, until: AbortSignal) => {
          closing.abort();
          expect(until.aborted).toBe(false);
          return machine;
        },
      }),
      (words) => said.push(words),
    );
    expect(await cloud.provision(intent, {}, closing.signal)).toBe(machine);
    expect(said).toEqual(["acme: provision m: waits for its answer"]);
  });

  it("waits while there are too many calls, as long as it is told to, and says so", async () => {
    let calls = 0;
    const said: string[] = [];
    const list = async (): Promise<Instance[]> => {
      if (++calls > 2) return [machine];
      throw new SkyError("SKY_PROVIDER_BUSY", "slow down", { details: calls === 2 ? { retryAfterMs: 700 } : {} });
    };
    const began = performance.now();
    expect(await watched(acme({ list }), (words) => said.push(words)).list("o", NEVER)).toHaveLength(1);
    expect(performance.now() - began).toBeGreaterThan(700);
    expect(said).toEqual([
      expect.stringMatching(/^acme: list: slow down; again in 0\.\d s$/),
      expect.stringMatching(/^acme: list: slow down; again in \d\.\d s$/),
    ]);
  });

  it("stops waiting when its pool closes", async () => {
    const closing = new AbortController();
    const busy = new SkyError("SKY_PROVIDER_BUSY", "slow down");
    const cloud = watched(acme({ provision: () => Promise.reject(busy), list: () => Promise.reject(busy) }), () =>
      closing.abort(),
    );
    // Nothing was created, and that is what it says.
    await expect(cloud.provision(intent, {}, closing.signal)).rejects.toEqual(fails(/slow down/, "SKY_PROVIDER_BUSY"));
    await expect(cloud.list("o", closing.signal)).rejects.toThrow(/abort/);
  });
});
