import { readFileSync } from "node:fs";
import { types } from "node:util";
import { describe, expect, it } from "vitest";
import { RemoteError } from "../errors/remote-error.ts";
import { SkyError } from "../errors/sky-error.ts";
import { ByteWriter } from "./byte-writer.ts";
import { decodeError, encodeError } from "./errors.ts";
import type { DecodeHooks, EncodeHooks } from "./hooks.ts";
import { register } from "./registry.ts";

function cross<T>(thrown: T, hooks?: EncodeHooks & DecodeHooks): T {
  const writer = new ByteWriter();
  encodeError(thrown, writer, hooks);
  return decodeError(writer.buf, 0, writer.pos, hooks) as T;
}

function caught(body: () => unknown): Error {
  try {
    body();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}

let built = 0;
class HttpError extends Error {
  status: number;
  constructor(status: number) {
    super(`HTTP ${status}`);
    built++;
    this.name = "HttpError";
    this.status = status;
  }
  get isClient(): boolean {
    return this.status < 500;
  }
}
class NotFound extends HttpError {
  constructor() {
    super(404);
  }
}

describe("errors", () => {
  for (const Kind of [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError]) {
    it(`${Kind.name} arrives as itself`, () => {
      const error = Object.assign(new Kind("no", { cause: new Date(1) }), { code: "E_NO", nested: { list: [1] } });
      const arrived = cross(error);
      expect(arrived).toBeInstanceOf(Kind);
      expect(types.isNativeError(arrived)).toBe(true);
      expect([arrived.name, arrived.message, arrived.stack]).toEqual([error.name, "no", error.stack]);
      expect(arrived.cause).toEqual(new Date(1));
      expect(Object.entries(arrived)).toEqual(Object.entries(error));
      expect(Object.keys(arrived)).toEqual(["code", "nested"]);
    });
  }

  it("AggregateError keeps its errors", () => {
    const arrived = cross(new AggregateError([new TypeError("a"), "b"], "both"));
    expect(arrived).toBeInstanceOf(AggregateError);
    expect(arrived.errors[0]).toBeInstanceOf(TypeError);
    expect(arrived.errors[1]).toBe("b");
    expect(Object.keys(arrived)).toEqual([]);
  });

  it("of Node's own classes arrive as what they extend", () => {
    const missing = caught(() => readFileSync("/does/not/exist")) as NodeJS.ErrnoException;
    const arrived = cross(missing);
    expect([arrived.constructor, arrived.code, arrived.syscall]).toEqual([Error, "ENOENT", "open"]);
    const wrong = caught(() => Buffer.from(1 as never)) as NodeJS.ErrnoException;
    expect(cross(wrong)).toBeInstanceOf(TypeError);
    expect(cross(wrong).code).toBe("ERR_INVALID_ARG_TYPE");
  });

  it("DOMException keeps name and code", () => {
    const arrived = cross(AbortSignal.abort().reason as DOMException);
    expect(arrived).toBeInstanceOf(DOMException);
    expect([arrived.name, arrived.code]).toEqual(["AbortError", 20]);
    expect(arrived.message).toBe("This operation was aborted");
  });

  it("of a class that the hook gives keep it, and no constructor runs", () => {
    const error = new NotFound();
    const before = built;
    const arrived = cross(error, { errorClass: (name) => ({ NotFound, HttpError })[name] });
    expect(arrived).toBeInstanceOf(NotFound);
    expect(arrived.isClient).toBe(true);
    expect(types.isNativeError(arrived)).toBe(true);
    expect([arrived.name, arrived.message, arrived.status, built]).toEqual(["HttpError", "HTTP 404", 404, before]);
    expect(cross(error, { errorClass: (name) => (name === "HttpError" ? HttpError : undefined) })).toBeInstanceOf(
      HttpError,
    );
  });

  it("of a registered class keep it", () => {
    class Registered extends Error {}
    register(Registered);
    expect(cross(new Registered("x"))).toBeInstanceOf(Registered);
    class Quota extends Error {
      #left = 3;
      left(): number {
        return this.#left;
      }
    }
    register(Quota, { encode: (q) => q.message, decode: (message) => new Quota(message) });
    expect(cross(new Quota("x")).left()).toBe(3);
  });

  it("of an unknown class arrive as RemoteError with the original's name, also at a third place", () => {
    const once = cross(new NotFound() as Error) as RemoteError & { status: number };
    for (const arrived of [once, cross(once)]) {
      expect(arrived).toBeInstanceOf(RemoteError);
      expect(arrived).toBeInstanceOf(Error);
      expect([arrived.name, arrived.remoteName, arrived.message, arrived.status]).toEqual([
        "HttpError",
        "NotFound",
        "HTTP 404",
        404,
      ]);
      expect(arrived.remoteClasses).toEqual(["NotFound", "HttpError", "Error"]);
      expect(Object.keys(arrived)).toEqual(["name", "status"]);
    }
  });

  it("SkyError arrives with code, hint and details", () => {
    const error = new SkyError("SKY_TASK_LOST", "gone", {
      hint: "wait",
      details: { node: 3 },
      retryable: true,
      cause: new Error("why"),
    });
    const arrived = cross(error);
    expect(arrived).toBeInstanceOf(SkyError);
    expect([arrived.code, arrived.hint, arrived.details, arrived.retryable]).toEqual([
      "SKY_TASK_LOST",
      "wait",
      { node: 3 },
      true,
    ]);
    expect((arrived.cause as Error).message).toBe("why");
    class Broadcast extends SkyError {}
    const known = cross(new Broadcast("SKY_TASK_LOST", "x"), { errorClass: () => Broadcast });
    expect([known instanceof Broadcast, known instanceof SkyError]).toEqual([true, true]);
  });

  it("have their stacks mapped, and cut", () => {
    const error = new Error("x", { cause: new Error("y") });
    error.stack = `Error: x\n${"    at deep (a.js:1:1)\n".repeat(100_000)}`;
    const arrived = cross(error, { mapStack: (stack) => `mapped ${stack}` });
    expect(arrived.stack).toMatch(/^mapped Error: x/);
    expect((arrived.cause as Error).stack).toMatch(/^mapped Error: y/);
    expect(arrived.stack!.length).toBeLessThan(100_000);
    expect(
      cross(new Error("x"), {
        mapStack: () => {
          throw new Error("bad map");
        },
      }).stack,
    ).toContain("Error: x");
  });

  it("may have themselves as cause", () => {
    const error = new Error("a");
    error.cause = new Error("b", { cause: error });
    const arrived = cross(error);
    expect((arrived.cause as Error).cause).toBe(arrived);
  });
});

describe("errors always arrive", () => {
  it("whatever they hold", () => {
    class Request {
      headers = {};
    }
    const error = Object.assign(new Error("failed"), {
      config: { transform: [() => 1], url: "http://x" },
      request: new Request(),
      pending: Promise.resolve(),
      kind: Symbol("mine"),
      weak: new WeakMap(),
      fake: Object.create(Map.prototype) as unknown,
      after: "still here",
      hidden: {
        get secret(): string {
          throw new Error("no");
        },
        open: 1,
      },
    });
    const arrived = cross(error) as unknown as Record<string, unknown>;
    expect(arrived["message"]).toBe("failed");
    expect(arrived["config"]).toEqual({ transform: [expect.stringMatching(/^\[function: /)], url: "http://x" });
    expect(arrived["request"]).toMatch(/^\[Request: /);
    expect(arrived["pending"]).toMatch(/^\[Promise: /);
    expect(arrived["kind"]).toMatch(/^\[Symbol\(mine\): /);
    expect(arrived["weak"]).toMatch(/^\[WeakMap: /);
    expect(arrived["fake"]).toMatch(/^\[reading it threw TypeError/);
    expect(arrived["after"]).toBe("still here");
    expect(arrived["hidden"]).toEqual({ secret: expect.stringContaining("Error: no") as string, open: 1 });
  });

  it("with getters that throw in place of message, stack and name", () => {
    const error = new Error("x");
    for (const key of ["stack", "message", "name", "extra"]) {
      Object.defineProperty(error, key, {
        enumerable: true,
        get: () => {
          throw new Error("gotcha");
        },
      });
    }
    expect(cross(error).message).toContain("gotcha");
  });

  it("without what is too large", () => {
    const error = Object.assign(new RangeError("far"), { body: "x".repeat(10_000) });
    const arrived = cross(error, { limits: { bytes: 5000 } });
    expect(arrived).toBeInstanceOf(RangeError);
    expect([arrived.message, arrived.stack]).toEqual(["far", error.stack]);
    expect(arrived.cause).toMatchObject({ code: "SKY_VALUE_LIMIT" });
  });

  it("with a chain of 100000 causes", () => {
    let error = new Error("innermost");
    for (let i = 0; i < 100_000; i++) error = new Error(`level ${i}`, { cause: error });
    let arrived: unknown = cross(error);
    expect((arrived as Error).message).toBe("level 99999");
    let levels = 0;
    for (; arrived instanceof Error; arrived = arrived.cause) levels++;
    expect(levels).toBe(200);
    expect(arrived).toBe("[too many levels deep]");
  });
});

describe("thrown values that are no errors", () => {
  for (const thrown of ["text", undefined, null, 0, { a: 1 }, [1, 2], Symbol.for("s")]) {
    it(`${typeof thrown} arrives as it is`, () => expect(cross(thrown)).toEqual(thrown));
  }

  it("lose only what can't travel", () => {
    expect(cross({ a: 1, f: () => 1 })).toEqual({ a: 1, f: expect.stringMatching(/^\[f: /) as string });
  });

  it("that can't travel at all arrive as the error that says so", () => {
    const arrived = cross(() => 1) as unknown as SkyError;
    expect(arrived).toBeInstanceOf(SkyError);
    expect(arrived.message).toMatch(/^error \(function\) can't travel/);
  });
});
