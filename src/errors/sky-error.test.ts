import { describe, expect, it } from "vitest";
import { hintOf } from "./codes.ts";
import { SkyError } from "./sky-error.ts";

describe("SkyError", () => {
  it("takes its hint from its code unless it is given one", () => {
    expect(new SkyError("SKY_BAD_NODES", "nodes is 0").hint).toBe(hintOf("SKY_BAD_NODES"));
    expect(new SkyError("SKY_BAD_NODES", "nodes is 0", { hint: "Say 1." }).hint).toBe("Say 1.");
  });

  it("is an Error with code, message, details and cause", () => {
    const cause = new Error("refused");
    const error = new SkyError("SKY_SSH_CONNECT", "no answer", { cause, details: { node: 3 }, retryable: true });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: "SkyError",
      code: "SKY_SSH_CONNECT",
      message: "no answer",
      details: { node: 3 },
      retryable: true,
      cause,
    });
    expect(error.stack).toContain("sky-error.test.ts");
  });

  it("has no cause, is not retryable and has empty details by default", () => {
    const error = new SkyError("SKY_POOL_CLOSED", "the pool is closed");
    expect("cause" in error).toBe(false);
    expect(error.retryable).toBe(false);
    expect(error.details).toEqual({});
  });

  it("is recognised across copies of the package, and nothing else is", () => {
    const foreign = Object.defineProperty(new Error("from another copy"), Symbol.for("skyward.error"), { value: true });
    expect(foreign).toBeInstanceOf(SkyError);
    expect(new Error("plain")).not.toBeInstanceOf(SkyError);
    expect("SKY_POOL_CLOSED").not.toBeInstanceOf(SkyError);
    expect(null).not.toBeInstanceOf(SkyError);
  });

  it("has subclasses that recognise only their own", () => {
    class Narrow extends SkyError {}
    expect(new Narrow("SKY_POOL_CLOSED", "x")).toBeInstanceOf(Narrow);
    expect(new Narrow("SKY_POOL_CLOSED", "x")).toBeInstanceOf(SkyError);
    expect(new SkyError("SKY_POOL_CLOSED", "x")).not.toBeInstanceOf(Narrow);
  });
});
