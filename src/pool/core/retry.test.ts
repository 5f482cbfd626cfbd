import { describe, expect, it } from "vitest";
import { type Failure, runsAgain } from "./retry.ts";

const error: Failure = {
  kind: "error",
  name: "Error",
  message: "no",
  code: undefined,
  cause: undefined,
  details: { status: 503 },
  node: 1,
  attempt: 1,
  innocent: false,
};
const lost: Failure = { ...error, kind: "lost", name: "Lost", cause: "nodeGone" };
const none = { retryOnInterruption: 3, retry: undefined, rerun: undefined };

describe("runsAgain", () => {
  it("by default: losses three times, errors and time limits never", () => {
    expect([0, 1, 2, 3].map((charged) => runsAgain(lost, charged, none))).toEqual([0, 0, 0, undefined]);
    expect(runsAgain(error, 0, none)).toBeUndefined();
    expect(runsAgain({ ...error, kind: "timeout" }, 0, none)).toBeUndefined();
  });

  it("by a number and a delay: errors and losses alike", () => {
    const policy = { ...none, retry: { times: 2, delayMs: 500 } };
    for (const failure of [error, lost]) {
      expect([0, 1, 2].map((charged) => runsAgain(failure, charged, policy))).toEqual([500, 500, undefined]);
    }
  });

  it("by a decision over plain data, which may name a delay", () => {
    const seen: unknown[] = [];
    const policy = {
      ...none,
      retry: (failure: unknown, tries: number) => {
        seen.push([failure, tries]);
        return tries < 3 && "1.5s";
      },
    };
    expect(runsAgain(error, 0, policy)).toBe(1500);
    expect(runsAgain(error, 2, policy)).toBeUndefined();
    const { innocent: _, ...data } = error;
    expect(seen[0]).toEqual([data, 1]);
  });

  it("refuses an answer that decides nothing", () => {
    for (const answer of [Promise.resolve(true), 1, "soon"])
      expect(() => runsAgain(error, 0, { ...none, retry: () => answer as never })).toThrow(/retry/);
  });

  it("charges and asks nothing where others brought it down; rerun: never still holds", () => {
    const innocent = { ...lost, innocent: true };
    const policy = { ...none, retryOnInterruption: 0, retry: () => false };
    expect(runsAgain(innocent, 9, policy)).toBe(0);
    expect(runsAgain(innocent, 0, { ...policy, rerun: "never" })).toBeUndefined();
    expect(runsAgain({ ...lost, cause: "neverStarted" }, 9, { ...policy, rerun: "never" })).toBe(0);
  });
});
