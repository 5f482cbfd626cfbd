import { expect, it } from "vitest";
import { Program } from "../support/run-program.ts";

it("hostile bytes end their own link with a clear error and disturb nothing", async () => {
  expect(await Program.run("hostile")).toMatch(/^ok running work was not disturbed/m);
});
