// Bytes from strangers, and from a peer with the right token that breaks the protocol, while a pool is at work.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import * as sky from "skyward";
import { frame, RawLink, spying } from "../raw-link.ts";

const dir = process.env["TMPDIR"]!;
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const steady = sky.fn(async (n: number) => {
  await sleep(5);
  return { n, attempt: sky.task().attempt, host: process.pid };
});

const spied = spying(sky.local());
const events: string[] = [];
const words: string[] = [];

await sky.compute(
  { nodes: 1, provider: spied.provider, worker: { concurrency: 4 }, console: "silent" },
  async (pool) => {
    void (async () => {
      for await (const event of pool.events) {
        if (/^Node\.(Disconnected|Lost|HostReplaced|Replaced)$/.test(event.type)) events.push(JSON.stringify(event));
        if ("message" in event) words.push(event.message);
      }
    })();
    const host = (await pool.run(steady(0))).host;
    const path = `${dir}/${readdirSync(dir).find((name) => name.startsWith("sky-"))}/s`;
    const { token, epoch } = spied.key();
    const hello = (more: object = {}): string => `${JSON.stringify({ v: 1, token, epoch, kind: "data", ...more })}\n`;
    const count = 1500;
    const work = pool.map(
      steady,
      Array.from({ length: count }, (_, n) => n),
    );
    const iterator = work[Symbol.asyncIterator]();
    await iterator.next();

    const strangers: [name: string, bytes: string | Uint8Array, code: string][] = [
      [
        "garbage",
        Buffer.concat([randomBytes(500).map((byte) => (byte === 10 ? 11 : byte)), Buffer.from("\n")]),
        "SKY_WIRE_MALFORMED",
      ],
      ["an oversized line", "x".repeat(100_000), "SKY_WIRE_MALFORMED"],
      ["deeply nested JSON", `${"[".repeat(4000)}\n`, "SKY_WIRE_MALFORMED"],
      ["deep but whole JSON", `${"[".repeat(1900)}${"]".repeat(1900)}\n`, "SKY_WIRE_VERSION"],
      [
        "a wrong token",
        hello({ token: token.replace(/^./, (digit) => (digit === "0" ? "1" : "0")) }),
        "SKY_LINK_REFUSED",
      ],
      ["no token", hello({ token: undefined }), "SKY_WIRE_MALFORMED"],
      ["another version", hello({ v: 2 }), "SKY_WIRE_VERSION"],
      ["a lower epoch", hello({ epoch: epoch - 1 }), "SKY_LINK_REFUSED"],
      ["a lower epoch for control", hello({ epoch: 0, kind: "control" }), "SKY_LINK_REFUSED"],
      ["an unknown kind", hello({ kind: "root" }), "SKY_WIRE_MALFORMED"],
    ];
    for (const [name, bytes, code] of strangers) {
      const answer = (await new RawLink(path).send(bytes).all).toString();
      const { ok, code: said, error } = JSON.parse(answer) as { ok: boolean; code: string; error: string };
      assert.deepEqual({ ok, said }, { ok: false, said: code }, name);
      assert(error.length > 10 && !answer.includes(token), name);
      say(`ok ${name} is refused: ${error.slice(0, 100)}`);
    }
    // Slow and silent ones, many at once.
    const silent = Array.from({ length: 200 }, () => new RawLink(path).send("{"));
    await sleep(100);
    for (const link of silent) link.socket.destroy();
    // Until the agent has seen the last of them go, it takes nobody else.
    while (!(await new RawLink(path).send(hello({ epoch: 0 })).all).includes("SKY_LINK_REFUSED")) await sleep(5);
    assert.deepEqual(events, [], "the pool's links");
    assert.deepEqual(spied.links, { control: 1, data: 1, bulk: 0 });
    say("ok the pool's own links were not touched");

    // A peer with the key that goes on with the pool's session takes the link; what it breaks ends that link only.
    const broken: [name: string, bytes: (received: number) => Buffer][] = [
      ["a frame of 5 MiB", () => Buffer.from([0, 0, 80, 0])],
      ["a frame of 4 GiB", () => Buffer.alloc(8, 255)],
      ["a frame too short", () => Buffer.from([3, 0, 0, 0, 0, 0, 0, 0])],
      ["an acknowledgement of what was not sent", () => frame(0x7fff_ffff)],
      ["a record longer than its frame", (received) => frame(received, [20, Buffer.alloc(20), 1000])],
      ["an unknown operation", (received) => frame(received, [99, Buffer.alloc(4)])],
      ["a TASKS record too short", (received) => frame(received, [20, Buffer.alloc(3)])],
      ["a TASKS record of an unknown function", (received) => frame(received, [20, tasks(4_000_000_000)])],
      ["a CODE record that is deeply nested", (received) => frame(received, [17, plain("[".repeat(100_000))])],
      [
        "a CODE record that leaves the tree",
        (received) =>
          frame(received, [17, plain(JSON.stringify({ code: 900, entry: "../../x.mjs", added: [], gone: [] }))]),
      ],
      [
        "a CODE record with a link that leaves the tree",
        (received) =>
          frame(received, [
            17,
            plain(JSON.stringify({ code: 901, entry: "x.mjs", added: [["a/b", ">../../../../etc"]], gone: [] })),
          ]),
      ],
      [
        "a CODE record that changes what was never sent",
        (received) =>
          frame(received, [17, plain(JSON.stringify({ code: 902, entry: "x.mjs", base: 903, added: [], gone: [] }))]),
      ],
      [
        "a CODE record with a file that is no hash",
        (received) =>
          frame(received, [17, plain(JSON.stringify({ code: 904, entry: "x.mjs", added: [["x", "../s"]], gone: [] }))]),
      ],
      ["a CODE record without files", (received) => frame(received, [17, plain("{}")])],
      ["a CODE record that is null", (received) => frame(received, [17, plain("null")])],
      ["a CODE record that is not packed", (received) => frame(received, [17, Buffer.from("{}")])],
      [
        "a FILES record that would unpack to 4 GiB",
        (received) => frame(received, [24, Buffer.from([0, 1, 255, 255, 255, 255, 0])]),
      ],
      [
        "a FILES record with a file that is cut off",
        (received) => frame(received, [24, Buffer.from([0, 0, 9, 0, 0, 0, 1])]),
      ],
      [
        "a FILES record from a channel that is not there",
        (received) => frame(received, [24, Buffer.from([1, 9, 9, 9, 9])]),
      ],
      [
        "a BLOB with another hash",
        (received) => frame(received, [16, Buffer.concat([Buffer.alloc(33), Buffer.from("no")])]),
      ],
      [
        "a BLOB from a channel that is not there",
        (received) => frame(received, [16, Buffer.concat([Buffer.alloc(32), Buffer.from([1, 9, 9, 9, 9])])]),
      ],
      ["a chunk without a channel", (received) => frame(received, [2, Buffer.from([7, 0, 0, 0, 1, 2, 3])])],
      ["a channel of 2^60 bytes", (received) => frame(received, [1, opened(7, 2 ** 60)])],
      ["a channel of -1 bytes", (received) => frame(received, [1, opened(8, -1)])],
      ["a credit that is too short", (received) => frame(received, [3, Buffer.alloc(3)])],
      ["a BIND without a code", (received) => frame(received, [18, bind({ bind: 1, code: 77_777 })])],
      ["a CANCEL that is cut off", (received) => frame(received, [22, Buffer.alloc(7)])],
      ["a TOPOLOGY that is no JSON", (received) => frame(received, [23, Buffer.from("{")])],
      ["an UNBIND that is too short", (received) => frame(received, [19, Buffer.alloc(1)])],
      ["a REVOKE that is too short", (received) => frame(received, [21, Buffer.alloc(1)])],
      ["noise", (received) => Buffer.concat([frame(received), Buffer.alloc(64, 0xfe)])],
    ];
    const faults: string[] = [];
    for (const [name, bytes] of broken) {
      for (let tries = 0; ; tries++) {
        // With the pool's own link up: one that is on its way would replace the stranger's, and never be cut itself.
        await pool.run(steady(tries));
        const before = spied.links.data;
        words.length = 0;
        const received = spied.received();
        // All at once: the pool's own next link replaces this one soon.
        const link = new RawLink(path).send(Buffer.concat([Buffer.from(hello() + goOn(received)), bytes(received)]));
        const closed = await Promise.race([link.all, sleep(3000, undefined)]);
        link.socket.destroy();
        const limit = performance.now() + 2000;
        while (spied.links.data === before && performance.now() < limit) await sleep(5);
        if (spied.links.data === before) faults.push(`${name}: the pool's link does not come back`);
        if (closed === undefined) faults.push(`${name}: the link stays open`);
        // Told on the link itself, or by the supervisor as a line of the node.
        const reported = (): string | undefined =>
          [...words, closed?.toString() ?? ""].find((word) => word.includes("SKY_WIRE_MALFORMED"));
        while (reported() === undefined && performance.now() < limit) await sleep(5);
        // The pool's link was acknowledged meanwhile, or came first.
        const stale = reported() === undefined || reported()!.includes("the peer says it has");
        if (stale && tries < 20) continue;
        if (stale) faults.push(`${name}: ${reported() ?? "SKY_WIRE_MALFORMED is said nowhere"}`);
        say(`   ${name}: ${/SKY_WIRE_MALFORMED.*/.exec(reported() ?? "")?.[0]}`);
        break;
      }
    }
    assert.deepEqual(faults, []);
    say(`ok ${broken.length} broken frames closed their link with SKY_WIRE_MALFORMED, and the pool's came back`);

    const results = await work;
    assert.equal(results.length, count);
    assert(results.every(({ n, attempt, host: where }, index) => n === index && attempt === 1 && where === host));
    assert.equal((await pool.run(steady(1))).host, host);
    assert(!events.some((event) => /Lost|Replaced/.test(event)), events.join("\n"));
    say("ok running work was not disturbed: one host, one attempt each");

    function goOn(received: number): string {
      return `${JSON.stringify({ session: spied.session(), received })}\n`;
    }
  },
);
say("done");

function tasks(bindId: number): Buffer {
  const body = Buffer.alloc(15);
  body.writeUInt32LE(bindId, 0);
  body[5] = 1;
  body.writeUInt16LE(1, 12);
  return body;
}

function opened(channel: number, size: number): Buffer {
  const body = Buffer.alloc(12);
  body.writeUInt32LE(channel, 0);
  body.writeDoubleLE(size, 4);
  return body;
}

function bind(record: object): Buffer {
  const json = Buffer.from(JSON.stringify(record));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  return Buffer.concat([length, json]);
}

/** As a packed body that is not compressed. */
function plain(text: string): Buffer {
  return Buffer.concat([Buffer.from([0]), Buffer.from(text)]);
}
