import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ownerId } from "../../../src/pool/ledger/owner.ts";
import { conformance } from "../conformance.ts";
import { Someone } from "../controller-process.ts";
import { burrow } from "./burrow.ts";

const dir = mkdtempSync(join(tmpdir(), "burrow-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

conformance("a third person's provider", () => burrow({ dir }));

describe("sky sweep with a third person's provider", () => {
  it("says that it needs its module, and removes its machines when it has it", async () => {
    await using me = new Someone();
    const state = join(me.home, "skyward");
    const owner = await ownerId(state);
    const signal = AbortSignal.timeout(30_000);
    const [provider, controller, name] = [burrow({ dir }), "1-1-dead", `sky-swept-${process.pid}`];
    const order = { pool: "swept", owner, authorizedKey: "none", environment: "", tell: () => undefined };
    const prepared = await provider.prepare(order, signal);
    const tags = { owner, controller, pool: "swept", intent: name, ttl: "600" };
    const offer = { id: "burrow", vcpus: 1, memoryGb: 1, price: 0 };
    const hostKey = { privateKey: "none", publicKey: "none" };
    await provider.provision({ name, tags, offer, hostKey, ttlS: 600 }, prepared, signal);
    const line = { v: 1, type: "intent", at: 1, name, provider: provider.reference, pool: "swept", controller, owner };
    mkdirSync(join(state, "ledger"));
    writeFileSync(join(state, "ledger", `${controller}.jsonl`), `${JSON.stringify({ ...line, ttlS: 600 })}\n`);
    const without = await me.sky("sweep");
    expect(without).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^unasked {2}burrow: .*--provider/m) as string,
    });
    const removed = await me.sky("sweep", "--yes", "--provider", "test/machines/third-party/burrow.ts");
    expect(removed).toEqual({ code: 0, stdout: expect.stringMatching(`^removed +burrow ${name}: `) as string });
    expect(await provider.list(owner, signal)).toEqual([]);
    expect(await me.ledger()).toEqual([]);
    expect(await me.sky("sweep", "--provider", "no/such.js")).toMatchObject({ code: 1, stdout: "" });
  });
});
