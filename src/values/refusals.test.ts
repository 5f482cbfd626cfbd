import { createServer, Socket } from "node:net";
import { Readable } from "node:stream";
import { afterAll, describe, expect, it } from "vitest";
import { ByteWriter } from "./byte-writer.ts";
import { encode } from "./encode.ts";
import type { EncodeHooks } from "./hooks.ts";
import type { SkyError } from "../errors/sky-error.ts";

function refusal(value: unknown, hooks?: EncodeHooks): SkyError {
  try {
    encode(value, new ByteWriter(), hooks);
  } catch (error) {
    return error as SkyError;
  }
  throw new Error("it was not refused");
}

const server = createServer();
const socket = new Socket();
afterAll(() => {
  server.close();
  socket.destroy();
});

class Unknown {
  a = 1;
}

describe("what can't travel is refused with its path", () => {
  function* generator(): Generator<number> {
    yield 1;
  }
  const cases: [string, unknown, string, string][] = [
    ["a socket", [{ config: { socket } }], "args[0].config.socket (net.Socket)", "Open it inside the function"],
    ["a server", { server }, "args.server (net.Server)", "Open it inside"],
    ["a stream", [Readable.from([])], "args[0] (Readable)", "Open it inside"],
    ["a web stream", [new ReadableStream()], "args[0] (ReadableStream)", "Open it inside"],
    ["a promise", { p: Promise.resolve(1) }, "args.p (Promise)", "Await it first"],
    ["a WeakMap", [new WeakMap()], "args[0] (WeakMap)", "Pass a Map"],
    ["a WeakSet", [new WeakSet()], "args[0] (WeakSet)", "Pass a Set"],
    ["a WeakRef", [new WeakRef({})], "args[0] (WeakRef)", "deref"],
    ["a generator in flight", [generator()], "args[0]", "Pass its elements"],
    ["an iterator", [new Map().keys()], "args[0]", "Pass its elements"],
    ["a function", { list: [() => 1] }, "args.list[0] (function)", "refer to it by name"],
    ["a named function", [refusal], "args[0] (refusal)", "refer to it by name"],
    ["a symbol of this process", { s: Symbol("mine") }, "args.s (Symbol(mine))", 'Symbol.for("mine")'],
    ["a blob", [new Blob(["a"])], "args[0] (Blob)", "arrayBuffer"],
    ["an abort signal", [AbortSignal.abort()], "args[0] (AbortSignal)", "sky.task().signal"],
    ["an unknown class", [new Unknown()], "args[0] (Unknown)", "sky.register(Unknown)"],
    ["an object with a prototype of its own", [Object.create({ a: 1 })], "args[0]", "plain copy"],
    ["a map's value", new Map([["k", () => 1]]), 'args.get("k")', "refer to it"],
    ["a map's key", new Map([[() => 1, 1]]), "args.keys()[0]", "refer to it"],
    ["a set's value", new Set([1, () => 1]), "args.values()[1]", "refer to it"],
    ["a key that is no name", { "a b": () => 1 }, 'args["a b"]', "refer to it"],
    ["a symbol key", { [Symbol.for("k")]: () => 1 }, "args[Symbol(k)]", "refer to it"],
    ["an element after holes", Object.assign([], { 5: () => 1 }), "args[5]", "refer to it"],
    [
      "a getter that throws",
      {
        get a() {
          throw new RangeError("no");
        },
      },
      "args.a",
      "See the cause",
    ],
    ["something dressed up as a Map", [Object.create(Map.prototype)], "args[0]", "See the cause"],
  ];
  for (const [name, value, path, hint] of cases) {
    it(name, () => {
      const error = refusal(value, { root: "args" });
      expect(error.code).toBe("SKY_VALUE_UNSERIALIZABLE");
      expect(error.message.startsWith(`${path}`)).toBe(true);
      expect(error.hint).toContain(hint);
      expect(path.startsWith(error.details["path"] as string)).toBe(true);
    });
  }

  it("a buffer that was transferred away", () => {
    const bytes = new Uint8Array(8);
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    expect(refusal([bytes]).message).toContain("transferred");
    expect(refusal([bytes.buffer]).message).toContain("transferred");
  });

  it("keeps the cause of what a getter threw", () => {
    const cause = new RangeError("no");
    const error = refusal({
      get a() {
        throw cause;
      },
    });
    expect(error.cause).toBe(cause);
    expect(error.message).toContain("RangeError: no");
  });

  it("is called value where the caller gives no name", () => {
    expect(refusal(() => 1).message).toMatch(/^value \(function\)/);
  });
});
