import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Duplex, duplexPair } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import { BulkOp, bulkHeader } from "../../wire/bulk-message.ts";
import { readLine } from "../../wire/hello.ts";
import { Session } from "../../wire/session.ts";
import { LargeValues } from "./large-values.ts";

const BYTES = 1000;
const value = Buffer.from(Array.from({ length: BYTES }, (_, index) => index));

it("a link that a newer one has overtaken brings nothing, though its last line comes late", async () => {
  const values = largeValues();
  const first = open(values);
  await first.answer();
  first.goOn(opening(), data(0, 300));
  await turn();

  const [overtaken, newest] = [open(values), open(values)];
  expect(await overtaken.answer()).toEqual([[1, 300]]);
  expect(await newest.answer()).toEqual([[1, 300]]);
  overtaken.goOn(data(300, 600));
  await turn();
  newest.goOn(data(300, BYTES));
  await turn();

  expect(Buffer.concat(values.bulk.take(1).parts)).toEqual(value);
  expect([overtaken.there.destroyed, newest.there.destroyed]).toEqual([true, false]);
});

function largeValues(): LargeValues {
  const dir = mkdtempSync(join(tmpdir(), "large-"));
  const session = new Session({ record: () => {}, down: () => {} });
  const values = new LargeValues(dir, () => session, {
    ready: () => {},
    cancelled: () => {},
    said: () => {},
    log: (line) => expect.unreachable(line),
  });
  onTestFinished(() => {
    values.bulk.dispose();
    session.dispose();
    rmSync(dir, { recursive: true });
  });
  return values;
}

/** A bulk link of a controller that sends channel 1 of session "s". */
function open(values: LargeValues): {
  there: Duplex;
  answer: () => Promise<unknown>;
  goOn: (...messages: Uint8Array[]) => void;
} {
  const [here, there] = duplexPair();
  void values.link(there, "s");
  here.write(`${JSON.stringify({ session: "s", sending: [1] })}\n`);
  return {
    there,
    answer: async () => (JSON.parse((await readLine(here, 1000, 1000)).line) as { received: unknown }).received,
    goOn: (...messages) => void here.write(Buffer.concat([Buffer.from('{"received":[]}\n'), ...messages])),
  };
}

function opening(): Buffer {
  const body = Buffer.alloc(13);
  body.writeUInt32LE(1, 1);
  body.writeDoubleLE(BYTES, 5);
  return Buffer.concat([bulkHeader(BulkOp.OPEN, 1, body.length), body]);
}

function data(from: number, to: number): Buffer {
  return Buffer.concat([bulkHeader(BulkOp.DATA, 1, to - from), value.subarray(from, to)]);
}
