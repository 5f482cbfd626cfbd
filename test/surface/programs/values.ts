import assert from "node:assert/strict";
import { openAsBlob } from "node:fs";
import * as sky from "skyward";
import { failure, holds, point } from "../../support/point.ts";

const kept = new Blob(["kept"]);
const echo = sky.fn((value: unknown) => value);
const textOf = sky.fn(async (blob: Blob) => `${await blob.text()} ${blob.type} ${blob.size}`);
const captured = sky.fn(() => kept.text());
const made = sky.fn(async function* (blobs: AsyncIterable<Blob>) {
  for await (const blob of blobs) yield new Blob([blob, "!"], { type: "text/plain" });
});

async function* three(): AsyncGenerator<Blob> {
  for (const text of ["a", "b", ""]) yield new Blob([text]);
}

for (const executor of ["thread", "process"] as const) {
  await sky.compute({ nodes: 1, worker: { executor } }, async (pool) => {
    const large = new Blob([new Uint8Array(3 * 1024 * 1024).fill(7), "end"]);

    await point(`${executor}: blobs are arguments and results`, async () => {
      assert.equal(await pool.run(textOf(new Blob(["h\u00e9llo"], { type: "text/plain" }))), "h\u00e9llo text/plain 6");
      assert.equal(await pool.run(textOf(new Blob(["abcdef"]).slice(2, 4, "x/y"))), "cd x/y 2");
      assert.equal(await pool.run(textOf(new Blob([]))), "  0");
      const back = (await pool.run(echo(large))) as Blob;
      const [sent, came] = await Promise.all([large, back].map(async (each) => Buffer.from(await each.arrayBuffer())));
      holds(sent!.equals(came!));
    });

    await point(`${executor}: files keep name, time and identity`, async () => {
      const file = new File(["abc"], "n.txt", { lastModified: 5 });
      const [first, again] = (await pool.run(echo([file, new Map([[file, 1]])]))) as [File, Map<File, number>];
      assert.equal(again.get(first), 1);
      assert.deepEqual([first.name, first.lastModified, await first.text()], ["n.txt", 5, "abc"]);
    });

    await point(`${executor}: captured, streamed, and by reference`, async () => {
      assert.equal(await pool.run(captured()), "kept");
      const texts: string[] = [];
      for await (const blob of pool.run(made(three()))) texts.push(await blob.text());
      assert.deepEqual(texts, ["a!", "b!", "!"]);
      const ref = pool.put(large);
      assert.equal((await pool.run(textOf(ref))).slice(-7), "3145731");
      ref.release();
    });
  });
}

await sky.compute({ nodes: 1 }, async (pool) => {
  await point("one that stands for a file is refused", async () => {
    const opened = await openAsBlob(import.meta.filename);
    assert.equal((await failure(() => pool.run(echo({ opened })))).code, "SKY_VALUE_UNSERIALIZABLE");
  });
  await point("a sparse array costs what is in it", async () => {
    const sparse: number[] = [];
    sparse[4_000_000_000] = 1;
    const back = (await pool.run(echo({ sparse }))) as { sparse: number[] };
    assert.deepEqual([back.sparse.length, Object.keys(back.sparse)], [4_000_000_001, ["4000000000"]]);
  });
});
