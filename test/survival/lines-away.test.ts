import { expect, it } from "vitest";
import { Program } from "../support/run-program.ts";

it("what a task prints while its link is away is kept within bounds, and what is dropped is told", async () => {
  const output = await Program.run("lines-away");
  expect(output).toMatch(/^ok \d+ of 150000 lines were dropped, and told$/m);
  expect(output).toMatch(/^ok the others came once, in order$/m);
});
