import { appendFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Intent } from "../../providers/cloud-provider.ts";
import { controllerLives, thisController } from "./controller.ts";
import { Ledger, ledgerFile } from "./ledger.ts";
import { ownerId } from "./owner.ts";
import { readLedger } from "./read-ledger.ts";

let dir: string;
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), "ledger-"))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const provider = { name: "container", options: { binary: "docker" } };
const intent = (name: string, owner: string): Intent => ({
  name,
  tags: { owner, controller: "c", pool: "p", intent: name, ttl: "60" },
  offer: { id: "o", vcpus: 1, memoryGb: 1, price: 0 },
  hostKey: { privateKey: "secret", publicKey: "public" },
  ttlS: 60,
});

describe("Ledger", () => {
  it("has an intent on disk before it says so, the id later, and goes with the last machine", async () => {
    const ledger = await Ledger.open(dir, "c");
    await ledger.intended(intent("a", ledger.owner), provider);
    const [known] = await readLedger(dir);
    expect(known).toMatchObject({ controller: "c", entries: [{ name: "a", provider, pool: "p", ttlS: 60 }] });
    expect(JSON.stringify(known)).not.toContain("secret");
    await Promise.all([ledger.intended(intent("b", ledger.owner), provider), ledger.created("a", "i-a")]);
    await ledger.gone("b");
    expect((await readLedger(dir))[0]!.entries).toMatchObject([{ name: "a", id: "i-a" }]);
    await ledger.gone("a");
    expect(existsSync(ledgerFile(dir, "c"))).toBe(false);
    await ledger.intended(intent("again", ledger.owner), provider);
    expect((await readLedger(dir))[0]!.entries).toMatchObject([{ name: "again" }]);
  });

  it("reads past a line that a crash cut short", async () => {
    const ledger = await Ledger.open(dir, "c");
    await ledger.intended(intent("a", ledger.owner), provider);
    appendFileSync(ledgerFile(dir, "c"), '{"v":1,"type":"gone","na');
    expect((await readLedger(dir))[0]!.entries).toHaveLength(1);
  });

  it("reads past lines that are not ours, and of other versions", async () => {
    const ledger = await Ledger.open(dir, "c");
    await ledger.intended(intent("a", ledger.owner), provider);
    for (const line of [
      "null",
      "7",
      '{"v":2,"type":"intent","at":1,"name":"b"}',
      '{"v":1,"type":"intent","at":1,"name":"b","pool":"p"}',
    ])
      appendFileSync(ledgerFile(dir, "c"), `${line}\n`);
    expect((await readLedger(dir))[0]!.entries).toMatchObject([{ name: "a" }]);
  });

  it("hands a machine over by a file of its own, to whoever takes it up", async () => {
    const [first, next] = await Promise.all(["c", "d"].map((name) => Ledger.open(dir, name)));
    const machine = intent("a", first!.owner);
    await first!.intended(machine, provider);
    await first!.created("a", "i-a");
    await first!.kept("a", 5000);
    const kept = { name: "a", id: "i-a", provider, ttlS: 60, keptUntil: 5000 };
    expect(await readLedger(dir)).toMatchObject([{ controller: "kept-a", entries: [kept] }]);
    await next!.adopted(machine, "i-a", provider);
    const [entry, ...others] = await readLedger(dir);
    expect(others).toEqual([]);
    expect(entry).toMatchObject({ controller: "d", entries: [{ name: "a", id: "i-a", provider, ttlS: 60 }] });
    expect(entry!.entries[0]).not.toHaveProperty("keptUntil");
    await next!.gone("a");
    expect(await readLedger(dir)).toEqual([]);
  });

  it("has one owner, whoever asks first", async () => {
    const ids = await Promise.all(Array.from({ length: 8 }, () => ownerId(dir)));
    expect(new Set(ids).size).toBe(1);
    expect(ids[0]).toMatch(/^[0-9a-f]{16}$/);
  });

  it("tells a living controller from one whose number another process has now", () => {
    const [pid, start, boot] = thisController().split("-");
    expect(controllerLives(thisController())).toBe(true);
    expect(controllerLives(`${pid}-${Number(start) + 1}-${boot}`)).toBe(false);
    expect(controllerLives(`${pid}-${start}-00000000`)).toBe(false);
  });
});
