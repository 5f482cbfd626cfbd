// `functions` of a pool: checked before there is a machine, and in place before a node is ready.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import * as sky from "skyward";
import { z } from "zod";
import { failure, holds, point } from "../../support/point.ts";

let provisioned = 0;
const counting: sky.Provider = {
  ...sky.local(),
  name: "counting",
  provision: (...args) => {
    provisioned++;
    return sky.local().provision(...args);
  },
};
const open = <T>(options: object, body: (pool: sky.Pool) => T | Promise<T>): Promise<T> =>
  sky.compute({ provider: counting, console: "silent", name: "train", ...options }, body);
const refusal = async (options: object): Promise<sky.SkyError> => {
  const error = await failure(open(options, () => {}));
  holds(error instanceof sky.SkyError, String(error));
  return error;
};

const holder = { server: createServer(), nothing: Promise.resolve(1) };
const parses = sky.fn((text: string) => z.number().parse(Number(text)));
const listens = sky.fn(() => holder.server.listening);
const waits = sky.fn(() => holder.nothing);
const missing = sky.fn(() => 1, { name: "missing", include: ["./own/not-there.ts"] });

await point("entries that are no functions are refused by their index", async () => {
  assert.match(
    (await refusal({ functions: parses })).message,
    /^functions must be a list such as \[parses\]; got the function parses$/,
  );
  assert.match((await refusal({ functions: [parses, 5] })).message, /^functions\[1\] must be .*; got 5$/);
  const called = await refusal({ functions: [parses("1")] });
  assert.equal(called.code, "SKY_BAD_OPTION");
  assert.match(`${called.message} ${called.hint}`, /functions\[0\].*calling parses.*functions: \[parses\]/);
  assert.match((await refusal({ function: [parses] })).message, /"function".*functions/);
  assert.equal(provisioned, 0);
});

await point("a function that can't travel is refused before there is a machine", async () => {
  const error = await refusal({ functions: [parses, listens] });
  assert.equal(error.code, "SKY_CAPTURE_UNSERIALIZABLE");
  assert.match(error.message, /listens -> holder -> server \(net\.Server\)/);
  assert.doesNotMatch(error.hint, /functions: \[/);
  assert.equal((await refusal({ functions: [waits] })).code, "SKY_CAPTURE_UNSERIALIZABLE");
  assert.equal((await refusal({ functions: [missing] })).code, "SKY_CAPTURE_UNRESOLVED");
  assert.equal((await refusal({ functions: [() => holder.server] })).code, "SKY_CAPTURE_UNSERIALIZABLE");
  const session = sky.session();
  const inSession = session.compute({ provider: counting, functions: [listens], console: "silent" });
  assert.equal((await failure(inSession)).code, "SKY_CAPTURE_UNSERIALIZABLE");
  await session.close();
  assert.equal(provisioned, 0);
});

await point("what was listed is on every node when it is ready: the first task sends little", async () => {
  const first = (functions: readonly sky.Fn<[string], number>[]): Promise<[opened: number, ran: number]> =>
    open({ nodes: 2, functions }, async (pool) => {
      const sent = (): number => Math.min(...pool.stats().map((node) => node.bytesSent));
      const opened = sent();
      assert.deepEqual(await pool.broadcast(parses("4")), [4, 4]);
      return [opened, sent() - opened];
    });
  const [opened, ran] = await first([parses]);
  holds(opened > 100_000, `${opened} bytes when it was open`);
  holds(ran < 1000, `${ran} bytes for the first task`);
  const [openedWithout, ranWithout] = await first([]);
  holds(openedWithout < 2000, `${openedWithout} bytes when it was open`);
  holds(ranWithout > 100_000, `${ranWithout} bytes for the first task`);
  assert.equal(provisioned, 4);
});

await point("a function that is first seen later says which nodes run meanwhile", async () => {
  await open({ nodes: 2, functions: [parses] }, async (pool) => {
    for (const call of [pool.run(listens()), pool.run(missing()), pool.map(missing as never, [1])]) {
      const error = await failure(call);
      holds(error instanceof sky.SkyError, String(error));
      assert.match(error.code, /^SKY_CAPTURE_/);
      assert.match(error.hint, /2 nodes of the pool "train" run.*functions: \[\.\.\.\]/);
      assert.deepEqual([error.details["pool"], error.details["running"]], ["train", 2]);
    }
    const own = await failure(pool.run(parses("x")));
    assert.equal(own.name, "ZodError");
  });
});

await point("also on a node that takes the place of a dead host", async () => {
  const dies = sky.fn(() => process.kill(process.pid, "SIGKILL"), { rerun: "never" });
  await open({ functions: [parses, dies] }, async (pool) => {
    await failure(pool.run(dies()));
    assert.equal(await pool.run(parses("5")), 5);
  });
});
