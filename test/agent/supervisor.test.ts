import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { startTimeOf } from "../../src/agent/process-tree.ts";
import { LineReader, lives, newToken, spawnChildren, toyAgent, ToyNode, until } from "../support/toy.ts";

const ready = (generation: number) => (message: Record<string, unknown>) =>
  message["type"] === "host" && message["state"] === "ready" && message["generation"] === generation;
const dead = (message: Record<string, unknown>) => message["type"] === "host" && message["state"] === "dead";

describe("links of a supervisor", () => {
  it("answers a control link, then tells the state of the host, then pings", async () => {
    await using node = await ToyNode.start();
    expect(node.ready).toMatchObject({ ready: true, pid: node.child.pid });
    expect(statSync(node.dir).mode & 0o777).toBe(0o700);
    const control = await node.control();
    await control.find(ready(1));
    control.write('{"type":"ping","id":1}\n{"type":"pi');
    control.write('ng","id":2}\n');
    expect(await control.json()).toEqual({ type: "pong", id: 1, at: expect.any(Number) });
    expect(await control.json()).toEqual({ type: "pong", id: 2, at: expect.any(Number) });
    const later = await node.control();
    expect(await later.json()).toMatchObject({ type: "host", state: "ready", generation: 1 });
  });

  it("hands a data link to the host with all that was sent behind the first line", async () => {
    await using node = await ToyNode.start();
    // The host may not be up yet, and the rest may lie anywhere between this socket and it.
    const link = await node.send(`${node.hello("data")}first\n`);
    link.write("second\n");
    expect(await link.json()).toMatchObject({ ok: true, generation: 1 });
    expect([await link.next(), await link.next()]).toEqual(["first", "second"]);
    const big = `${"x".repeat(1024 * 1024)}\n`;
    link.write(big);
    expect(await link.next()).toHaveLength(big.length - 1);
  });

  it("refuses what is no first line, closes that link only, and says why", async () => {
    await using node = await ToyNode.start();
    const healthy = await node.data();
    const refusals: [string | Buffer, string, RegExp][] = [
      ["hello\n", "SKY_WIRE_MALFORMED", /JSON/],
      ["[]\n", "SKY_WIRE_VERSION", /undefined/],
      ["null\n", "SKY_WIRE_MALFORMED", /object/],
      [
        Buffer.concat([randomBytes(300).map((byte) => (byte === 10 ? 0 : byte)), Buffer.from("\n")]),
        "SKY_WIRE_MALFORMED",
        /JSON/,
      ],
      [node.hello("data", { v: 2 }), "SKY_WIRE_VERSION", /version 1 .*version 2/],
      [node.hello("video"), "SKY_WIRE_MALFORMED", /kind/],
      [node.hello("adopt"), "SKY_WIRE_MALFORMED", /kind/],
      [node.hello("data", { epoch: -1 }), "SKY_WIRE_MALFORMED", /epoch/],
      [node.hello("data", { epoch: "1" }), "SKY_WIRE_MALFORMED", /epoch/],
      [node.hello("data", { token: newToken() }), "SKY_LINK_REFUSED", /token/],
      [node.hello("data", { token: "" }), "SKY_LINK_REFUSED", /token/],
      [node.hello("control", { epoch: 0 }), "SKY_LINK_REFUSED", /epoch 0 has ended.* epoch 1 /],
      [node.hello("control", { pad: "x".repeat(5000) }), "SKY_WIRE_MALFORMED", /4096/],
      ["x".repeat(1024 * 1024), "SKY_WIRE_MALFORMED", /4096/],
    ];
    for (const [line, code, words] of refusals) {
      const link = await node.send(line);
      const answer = await link.json();
      expect(answer).toEqual({ ok: false, code, error: expect.stringMatching(words) });
      expect(JSON.stringify(answer)).not.toContain(node.token);
      expect(await link.next()).toBeUndefined();
    }
    healthy.write("still here\n");
    expect(await healthy.next()).toBe("still here");
  });

  it("sends away who finds it full of silent connections, as something to try again", async () => {
    await using node = await ToyNode.start();
    const silent = await Promise.all(Array.from({ length: 64 }, () => node.send("")));
    const late = await node.send(node.hello("data"));
    expect(await late.json()).toEqual({ ok: false, code: "SKY_LINK_BUSY", retryable: true, error: expect.any(String) });
    for (const link of silent) link.stream.destroy();
    let answer = await late.json();
    // Until it has seen that they are gone.
    while (answer?.["ok"] !== true) answer = await (await node.send(node.hello("data"))).json();
  });

  it("survives any bytes", async () => {
    await using node = await ToyNode.start();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.boolean(), async (bytes, abrupt) => {
        const socket = await node.raw();
        socket.on("error", () => undefined).resume();
        const closed = once(socket, "close");
        if (abrupt) socket.write(bytes, () => socket.destroy());
        else socket.end(Buffer.concat([bytes, Buffer.from("\n")]));
        await closed;
      }),
      { numRuns: 60 },
    );
    await node.data();
  });

  it("ends a control link that breaks the protocol, and only that one", async () => {
    await using node = await ToyNode.start();
    const data = await node.data();
    for (const text of ["nonsense\n", '{"type":"dance"}\n', "null\n", `"${"x".repeat(1024 * 1024 + 1)}`]) {
      const control = await node.control();
      control.write(text);
      const error = await control.find((message) => message["type"] === "error");
      expect(error).toMatchObject({ code: "SKY_WIRE_MALFORMED" });
      expect(await control.next()).toBeUndefined();
    }
    data.write("still here\n");
    expect(await data.next()).toBe("still here");
    await node.control();
  });

  it("replaces a link of the same epoch, and ends all links of lower ones", async () => {
    await using node = await ToyNode.start();
    const [control, data] = [await node.control(), await node.data()];
    const again = await node.control();
    await control.end();
    const dataAgain = await node.data();
    await data.end();
    const newer = await node.control({ epoch: 2 });
    await Promise.all([again.end(), dataAgain.end()]);
    const late = await node.send(node.hello("data"));
    expect(await late.json()).toMatchObject({ ok: false, code: "SKY_LINK_REFUSED" });
    await node.data({ epoch: 2 });
    newer.write('{"type":"ping","id":7}\n');
    await newer.find((message) => message["type"] === "pong");
  });
});

describe("an attach", () => {
  const attach = async (node: ToyNode, kind: string, dir = node.dir) =>
    spawn(process.execPath, [await toyAgent(), "attach", kind, dir], { stdio: ["pipe", "pipe", "inherit"] });

  it("relays where its own stdin and stdout can't be handed over", async () => {
    await using node = await ToyNode.start();
    for (const kind of ["control", "data"]) {
      // Sockets, as Node gives to its children, can't be opened a second time.
      const child = await attach(node, kind);
      const link = new LineReader(Duplex.from({ readable: child.stdout, writable: child.stdin }));
      link.write(`${node.hello(kind)}${kind === "control" ? '{"type":"ping","id":1}' : "hello"}\n`);
      expect(await link.next()).toBe("skyward-attach 1");
      expect(await link.json()).toMatchObject({ ok: true });
      if (kind === "control") await link.find((message) => message["type"] === "pong");
      else expect(await link.next()).toBe("hello");
      child.stdin.end();
      expect(await once(child, "exit")).toEqual([0, null]);
    }
    await node.control();
  });

  it("is told to relay when the host can't open its pipes", async () => {
    await using node = await ToyNode.start();
    const link = await node.send(node.hello("adopt", { pid: 2 ** 22 }));
    expect(await link.json()).toMatchObject({ relay: true });
  });

  it("ends when nobody says hello", async () => {
    await using node = await ToyNode.start();
    const child = await attach(node, "data");
    child.stdin.end("no newline");
    const lines = new LineReader(Duplex.from({ readable: child.stdout, writable: child.stdin }));
    expect(await lines.next()).toBe("skyward-attach 1");
    expect(await lines.json()).toMatchObject({ ok: false, code: "SKY_WIRE_MALFORMED" });
  });
});

describe("hosts of a supervisor", () => {
  it("are replaced when they die, with a report of how and their last words", async () => {
    await using node = await ToyNode.start();
    const control = await node.control();
    const data = await node.data();
    data.write("!print the last words");
    await control.find((message) => message["type"] === "log" && message["line"] === "the last words");
    data.write("!die SIGSEGV");
    expect(await control.find(dead)).toMatchObject({
      generation: 1,
      signal: "SIGSEGV",
      code: null,
      stderr: "the last words\n",
    });
    expect(await data.next()).toBeUndefined();
    await control.find(ready(2));
    const second = await node.data();
    second.write("!exit 3");
    expect(await control.find(dead)).toMatchObject({ generation: 2, signal: null, code: 3, stderr: "" });
    // A controller that was away learns the last death first.
    const later = await node.control();
    expect(await later.find(dead)).toMatchObject({ generation: 2, code: 3 });
    await later.find(ready(3));
  });

  it("leave no children behind when they die, however these detached", async () => {
    await using node = await ToyNode.start();
    const control = await node.control();
    const data = await node.data();
    const pids: number[] = [];
    for (const how of ["plain", "bare", "detached"] as const) pids.push(...(await spawnChildren(data, how)));
    expect(pids).toHaveLength(6);
    expect(pids.every(lives)).toBe(true);
    data.write("!die SIGKILL");
    await control.find(ready(2));
    expect(pids.filter(lives)).toEqual([]);
  });

  it("that can't start are tried again, more slowly after three times", async () => {
    await using node = await ToyNode.start({ env: { TOY_FAILS: "1" } });
    const control = await node.control();
    const times: number[] = [];
    for (let generation = 0; generation < 4;) {
      const death = await control.find(dead);
      expect(death).toMatchObject({ code: 7, stderr: "toy host: no way\n" });
      generation = death["generation"] as number;
      times[generation] = performance.now();
    }
    expect(times[4]! - times[3]!).toBeGreaterThan(1000);
  });
});

describe("the end of a supervisor", () => {
  it("comes with the controller's goodbye, at once and completely", async () => {
    await using node = await ToyNode.start();
    const control = await node.control();
    const pids = await spawnChildren(await node.data(), "detached");
    control.write('{"type":"end"}\n');
    expect(await once(node.child, "exit")).toEqual([0, null]);
    expect(node.isGone).toBe(true);
    expect(pids.filter(lives)).toEqual([]);
  });

  it("by kill -9 takes the host, its children and the run directory along within 2 s", async () => {
    await using node = await ToyNode.start();
    const data = await node.data();
    const pids = [...(await spawnChildren(data, "detached")), ...(await spawnChildren(data, "bare"))];
    node.child.kill("SIGKILL");
    await until(() => node.isGone && !pids.some(lives), 2000, "the end of everything");
    expect(existsSync(node.dir)).toBe(false);
  });

  it("comes when the controller's process is gone, although somebody holds its pipe open", async () => {
    // The second process never waits for the first: a killed controller may stay as a zombie.
    const shell = spawn("sh", ["-c", "sleep 1000 & echo $!; exec sleep 1000"], { stdio: ["ignore", "pipe", "ignore"] });
    const [line] = (await once(shell.stdout, "data")) as [Buffer];
    const pid = Number(line.toString());
    await using node = await ToyNode.start({ parent: { pid, startTime: startTimeOf(pid)! } });
    await node.control();
    process.kill(pid, "SIGKILL");
    await until(() => node.isGone, 2000, "the agent's end");
    expect(existsSync(node.dir)).toBe(false);
    shell.kill("SIGKILL");
  });

  it("comes when a remote controller stays away longer than the grace, and not before", async () => {
    await using node = await ToyNode.start({ parent: null, orphanGraceMs: 600 });
    for (let cut = 0; cut < 3; cut++) {
      const control = await node.control();
      await new Promise((resolve) => setTimeout(resolve, 300));
      control.stream.destroy();
    }
    const control = await node.control();
    await new Promise((resolve) => setTimeout(resolve, 900));
    expect(node.child.exitCode).toBeNull();
    control.stream.destroy();
    const cut = performance.now();
    await until(() => node.isGone, 3000, "the agent's end");
    expect(performance.now() - cut).toBeGreaterThan(550);
  });

  it("comes when a remote controller never came", async () => {
    await using node = await ToyNode.start({ parent: null, orphanGraceMs: 200 });
    await until(() => node.isGone, 3000, "the agent's end");
    expect(existsSync(node.dir)).toBe(false);
  });
});

describe("a supervisor does not start", () => {
  it.each([
    ["with another version", { version: 2 as never }, "SKY_WIRE_VERSION", /version 1 .*not 2/],
    ["without a token", { token: "abc" }, "SKY_AGENT_FAILED", /"token"/],
    ["with a path that a socket can't have", { dir: `/tmp/${"x".repeat(120)}` }, "SKY_AGENT_FAILED", /100 bytes/],
    ["where it can't write", { dir: "/proc/skyward" }, "SKY_AGENT_FAILED", /can't be made/],
  ])("%s", async (_, more, code, words) => {
    const node = await ToyNode.start(more);
    expect(node.ready).toEqual({ ready: false, code, error: expect.stringMatching(words) });
    if (node.child.exitCode === null) await once(node.child, "exit");
    expect(node.child.exitCode).toBe(1);
  });

  it("in a directory that somebody else prepared", async () => {
    const place = join(tmpdir(), `sky-test-${randomBytes(6).toString("hex")}`);
    mkdirSync(`${place}-real`);
    symlinkSync(`${place}-real`, place);
    const node = await ToyNode.start({ dir: place });
    expect(node.ready).toMatchObject({ ready: false, error: expect.stringMatching(/no directory/) });
    rmSync(place);
    rmSync(`${place}-real`, { recursive: true });
  });
});
