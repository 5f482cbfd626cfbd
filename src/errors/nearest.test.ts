import { expect, test } from "vitest";
import { didYouMean, nearest } from "./nearest.ts";

const options = ["timeout", "queueTimeout", "retry", "silent", "stdout", "stderr"];

test("finds a misspelt, a swapped, a differently cased and a cut name", () => {
  expect(nearest("timout", options)).toBe("timeout");
  expect(nearest("stduot", options)).toBe("stdout");
  expect(nearest("queue_timeout", options)).toBe("queueTimeout");
  expect(nearest("queue", options)).toBe("queueTimeout");
});

test("stays silent when nothing is near", () => {
  expect(nearest("colour", options)).toBeUndefined();
  expect(didYouMean("colour", options)).toBe("");
  expect(didYouMean("retry_count", options)).toBe('; did you mean "retry"?');
});
