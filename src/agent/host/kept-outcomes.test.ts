import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { duplexPair } from "node:stream";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { BulkLink } from "../../wire/bulk-link.ts";
import { Op, Status } from "../../wire/ops.ts";
import { OUTCOMES_HEADER, readOutcomesHeader } from "../../wire/records.ts";
import { Session } from "../../wire/session.ts";
import { KeptOutcomes } from "./kept-outcomes.ts";

const ENDED = 1000;

/** A host's outcomes, and a controller that notes what arrives. */
function stage() {
  const dir = join(mkdtempSync(join(tmpdir(), "kept-")), "outcomes");
  const lost: [number, number, string][] = [];
  const got = new Map<number, number>();
  const bulk = new BulkLink({ wanted: () => {}, arrived: () => {}, down: () => {} });
  const session: Session = new Session({ record: () => {}, arrived: () => kept.heard(), down: () => kept.cut() });
  const controller: Session = new Session({
    record: (op, buf, start, end) => {
      expect(op).toBe(Op.OUTCOMES);
      const at = start + OUTCOMES_HEADER;
      expect([end - at, buf[at + 1]]).toEqual([6, Status.RETURNED_BULK]);
      got.set(readOutcomesHeader(buf, start, end).first, controller.channels.take(buf.readUInt32LE(at + 2)).length);
    },
    down: () => {},
  });
  const kept = new KeptOutcomes({
    dir: () => dir,
    session: () => session,
    bulk: () => bulk,
    lost: (...task) => lost.push(task),
  });
  onTestFinished(() => {
    kept.dispose();
    for (const one of [session, controller, bulk]) one.dispose();
    rmSync(join(dir, ".."), { recursive: true });
  });
  return {
    kept,
    got,
    lost,
    files: () => (existsSync(dir) ? readdirSync(dir).filter((name) => !name.endsWith(".part")) : []),
    dir,
    cut: () => session.detach(),
    join: () => {
      const [here, there] = duplexPair();
      const { received } = session;
      session.attach(here, controller.received);
      controller.attach(there, received);
    },
    give: (id: number, bytes: number) => {
      const value = new Uint8Array(1 + bytes).fill(id);
      value[0] = Status.RETURNED;
      const message = {
        type: "bulk" as const,
        id,
        attempt: 1,
        status: Status.RETURNED,
        elapsedUs: 1,
        value,
        externals: [],
      };
      kept.large(message, ENDED);
    },
  };
}

describe("large outcomes", () => {
  it("wait on disk while the controller is away, and leave from there, however many there are", async () => {
    const { kept, got, files, join: link, give } = stage();
    // Together more than is taken into memory at a time.
    const many = Array.from({ length: 100 }, (_, index) => index + 1);
    kept.cut();
    for (const id of many) give(id, 900_000);
    await vi.waitUntil(() => files().length === many.length, 10_000);
    expect(got.size).toBe(0);
    link();
    await vi.waitUntil(() => got.size === many.length, 10_000);
    expect([...got.values()].every((bytes) => bytes === 900_000)).toBe(true);
    await vi.waitUntil(() => files().length === 0, 10_000);
  });

  it("are lost, and that is told, where they can't be read again", async () => {
    const { kept, got, lost, files, dir, join: link, give } = stage();
    kept.cut();
    give(1, 100_000);
    give(2, 100_000);
    await vi.waitUntil(() => files().length === 2, 5000);
    rmSync(join(dir, "1-1"));
    link();
    await vi.waitUntil(() => got.has(2) && lost.length === 1, 5000);
    expect(lost[0]).toEqual([1, 1, expect.stringMatching(/^its outcome can't be read from disk: .*ENOENT/)]);
  });

  it("stay in memory where the disk takes none", async () => {
    const { kept, got, dir, join: link, give } = stage();
    const said = vi.spyOn(console, "error").mockImplementation(() => {});
    writeFileSync(dir, "");
    kept.cut();
    give(1, 100_000);
    await vi.waitUntil(() => said.mock.calls.length === 1, 5000);
    expect(said.mock.calls[0]![0]).toMatch(/^outcomes can't be written to disk/);
    said.mockRestore();
    link();
    await vi.waitUntil(() => got.has(1), 5000);
  });
});
