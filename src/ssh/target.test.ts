import { userInfo } from "node:os";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseTarget, targetName } from "./target.ts";

describe("SSH targets", () => {
  it.each([
    ["me@build:2222", { user: "me", host: "build", port: 2222 }],
    ["build", { user: userInfo().username, host: "build", port: 22 }],
    ["me@10.0.0.1", { user: "me", host: "10.0.0.1", port: 22 }],
    ["me@[2001:db8::1]:22", { user: "me", host: "2001:db8::1", port: 22 }],
    ["me@[gpu-1]:2222", { user: "me", host: "gpu-1", port: 2222 }],
    ["[fe80::1%eth0]", { user: userInfo().username, host: "fe80::1%eth0", port: 22 }],
  ])("%s", (text, target) => {
    expect(parseTarget(text)).toEqual(target);
  });

  it.each([
    "",
    "@host",
    "me@",
    "host:",
    "host:0",
    "host:65536",
    "host:ssh",
    "a b",
    "-oProxyCommand=x",
    "-l@host",
    "2001:db8::1",
    "me@you@host",
    "host/path",
    7,
  ])("refuses %j", (text) => {
    expect(() => parseTarget(text as string)).toThrow(expect.objectContaining({ code: "SKY_BAD_OPTION" }));
  });

  it("are read as they are written", () => {
    const target = fc.record({
      user: fc.stringMatching(/^[a-z_][a-z0-9_-]{0,12}$/),
      host: fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6()),
      port: fc.integer({ min: 1, max: 65_535 }),
    });
    fc.assert(
      fc.property(target, (one) => {
        expect(parseTarget(targetName(one))).toEqual(one);
      }),
    );
  });
});
