import { expect, it } from "vitest";
import { Program } from "../support/run-program.ts";

it("a task that never left for its node is not lost with it, even where it may run only once", async () => {
  const output = await Program.run("never-started");
  expect(output).toMatch(/^ok what was started is lost\nok what never left runs$/m);
});
