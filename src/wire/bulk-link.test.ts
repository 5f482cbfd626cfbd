import { randomBytes } from "node:crypto";
import { duplexPair } from "node:stream";
import { expect, it } from "vitest";
import { HASH_BLOCK_BYTES } from "./block-hash.ts";
import { BulkLink } from "./bulk-link.ts";

/** Sends a shared value over a link of its own; what arrived, or why the link broke. */
function share(parts: readonly Uint8Array[], hashes: Buffer[]): Promise<Uint8Array[] | Error> {
  const [here, there] = duplexPair();
  return new Promise((resolve) => {
    const down = (error: Error | undefined): void => resolve(error ?? new Error("it was closed"));
    const receiver: BulkLink = new BulkLink({
      wanted: () => undefined,
      arrived: (channel) => resolve([...receiver.take(channel).parts]),
      down,
    });
    const sender = new BulkLink({ wanted: () => undefined, arrived: () => undefined, down: () => undefined });
    receiver.attach(there, [], Buffer.alloc(0));
    sender.attach(here, [], Buffer.alloc(0));
    sender.send(parts, undefined, hashes);
  });
}

it("a shared value is hashed once, whoever it is sent to", async () => {
  const parts = [randomBytes(100), randomBytes(2 * HASH_BLOCK_BYTES)];
  const hashes: Buffer[] = [];
  const first = (await share(parts, hashes)) as Uint8Array[];
  expect(parts.every((part, index) => part.equals(first[index]!))).toBe(true);
  expect(hashes.map((hash) => hash.length)).toEqual([32, 32, 32]);

  const known = [...hashes];
  const second = (await share(parts, hashes)) as Uint8Array[];
  expect(parts.every((part, index) => part.equals(second[index]!))).toBe(true);
  expect(hashes.every((hash, index) => hash === known[index])).toBe(true);

  // What is known is what is sent: a wrong one is found by the other end.
  hashes[1] = hashes[0]!;
  expect(String(await share(parts, hashes))).toMatch(/another hash/);
});
