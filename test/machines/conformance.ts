import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as sky from "skyward";
import type { OpenEntry } from "../../src/pool/ledger/entry.ts";
import { readLedger } from "../../src/pool/ledger/read-ledger.ts";
import { ownerId } from "../../src/pool/ledger/owner.ts";
import { stateDir } from "../../src/pool/ledger/state-dir.ts";
import { type Call, type Disturbance, Disturbed, type Plan } from "./disturbed.ts";

const LIMIT_MS = 60_000;
const broken = (): Disturbance => ({ type: "error", error: new Error("internal server error (500)") });
const refusing = (code: sky.ErrorCode): Disturbance => ({ type: "error", error: new sky.SkyError(code, code) });
const first =
  (count: number, call: Call, how: () => Disturbance): Plan =>
  (one, n) =>
    one === call && n < count ? how() : undefined;

/** What every provider that creates machines does, whatever happens to its answers. */
export function conformance(name: string, make: () => sky.CloudProvider | Promise<sky.CloudProvider>): void {
  describe.concurrent(`${name}: a provider that creates machines`, () => {
    let provider: sky.CloudProvider;
    let owner: string;
    const home = mkdtempSync(join(tmpdir(), "skyward-state-"));
    const double = sky.fn((x: number) => x * 2);
    const signal = (): AbortSignal => AbortSignal.timeout(LIMIT_MS);
    let pools = 0;

    /** The machines of a pool that are there. */
    const there = async (pool: string): Promise<readonly sky.Instance[]> =>
      (await provider.list(owner, signal())).filter((one) => one.tags.pool === pool);
    /** Those on record. */
    const onRecord = async (pool: string): Promise<readonly OpenEntry[]> =>
      (await readLedger(stateDir())).flatMap(({ entries }) => entries.filter((one) => one.pool === pool));

    /** Uses a pool over the provider, and sees that nothing is left of it. */
    const use = async <T>(
      plan: Plan,
      body: (pool: sky.Pool, disturbed: Disturbed<unknown>) => Promise<T>,
      { nodes = 1, unknown = 0 }: { nodes?: sky.NodesSpec; unknown?: number } = {},
    ): Promise<T> => {
      const disturbed = new Disturbed(provider, plan);
      const pool = `conformance-${++pools}`;
      try {
        return await sky.compute({ name: pool, provider: disturbed, nodes, console: "silent" }, (opened) =>
          body(opened, disturbed),
        );
      } finally {
        expect(await there(pool)).toEqual([]);
        expect((await onRecord(pool)).length, "machines that nobody knows to be gone").toBe(unknown);
      }
    };
    const works = async (pool: sky.Pool): Promise<void> => expect(await pool.run(double(21))).toBe(42);

    beforeAll(async () => {
      process.env["XDG_STATE_HOME"] = home;
      owner = await ownerId(stateDir());
      provider = await make();
    });
    afterAll(() => rmSync(home, { recursive: true, force: true }));

    it("names and tags its machines in the call that creates them, and ends them twice without complaint", async () => {
      const [machine] = await use(
        () => undefined,
        async (pool) => {
          await works(pool);
          expect(await onRecord(pool.name)).toHaveLength(1);
          return await there(pool.name);
        },
      );
      const { tags, id } = machine!;
      expect(machine!.name).toBe(tags.intent);
      expect(tags).toMatchObject({ owner, pool: expect.stringMatching(/^conformance-/) as string });
      expect(tags.controller).toMatch(new RegExp(`^${process.pid}-`));
      await provider.terminate(id, signal());
      await provider.terminate("sky-never-was", signal());
      expect(await provider.describe(id, signal())).toBeUndefined();
      expect(await provider.describe("sky-never-was", signal())).toBeUndefined();
    });

    it("opens with the machines that there is capacity for, and says so when they are too few", async () => {
      const onlyOne: Plan = (call, n) =>
        call === "provision" && n > 0 ? refusing("SKY_PROVIDER_CAPACITY") : undefined;
      await use(onlyOne, works, { nodes: { desired: 2, min: 1 } });
      await expect(use(onlyOne, works, { nodes: 2 })).rejects.toMatchObject({ code: "SKY_PROVIDER_CAPACITY" });
    });

    it("adopts the machine of a create call whose answer was lost", async () => {
      await use(
        first(1, "provision", () => ({ type: "lost" })),
        async (pool, { calls }) => {
          await works(pool);
          expect(calls.provision).toBe(1);
          expect(await there(pool.name)).toHaveLength(1);
        },
      );
    });

    it("has one machine where a create call timed out and was done later", async () => {
      await use(
        first(1, "provision", () => ({ type: "late", ms: 1000 })),
        async (pool) => {
          await works(pool);
          expect(await there(pool.name)).toHaveLength(1);
        },
      );
    });

    it("waits for a machine that is young, and for a describe that lags and fails", async () => {
      await use((call, n) => {
        if (call === "provision") return { type: "young" };
        if (call !== "describe") return undefined;
        return ([{ type: "unknown" }, broken(), { type: "young" }] as const)[n];
      }, works);
    });

    it("tries again where calls are too many", async () => {
      await use(
        first(2, "provision", () => refusing("SKY_PROVIDER_BUSY")),
        works,
      );
    });

    it("ends machines although ending them fails twice, and lags", async () => {
      await use(first(2, "terminate", broken), works);
    });

    it("says what failed, and leaves nothing, when a call always fails", async () => {
      const always =
        (call: Call): Plan =>
        (one) =>
          one === call ? broken() : undefined;
      for (const call of ["prepare", "provision"] as const) {
        // A create call that may have been done stays on record.
        const unknown = call === "provision" ? 1 : 0;
        await expect(use(always(call), works, { unknown }), call).rejects.toMatchObject({
          code: "SKY_PROVIDER_FAILED",
          message: expect.stringMatching(/internal server error/) as string,
        });
      }
      await use(always("list"), works);
      await use(always("save"), works);
      await use(always("teardown"), works);
    });
  });
}
