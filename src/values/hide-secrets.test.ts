import { expect, it } from "vitest";
import { hiderOf } from "./hide-secrets.ts";

it("hides secrets wherever they stand, line by line where they have several, and the longer ones first", () => {
  const hide = hiderOf(["token", "token-of-two", "BEGIN\nline one\nEND", "abc"])!;
  expect(hide({ a: ["token-of-two", { b: "my token" }], c: 1, d: null, e: "line one" })).toEqual({
    a: ["***", { b: "my ***" }],
    c: 1,
    d: null,
    e: "***",
  });
  expect(hide("abc END")).toBe("abc END");
  expect(hiderOf(["abc"])).toBeUndefined();
});
