import { expect, it } from "vitest";
import { Program } from "../support/run-program.ts";

it("a host that takes another one's place is sent only the files that are not there whole", async () => {
  expect(await Program.run("have")).toMatch(/^ok what is there is not sent again\nok what was spoilt is$/m);
});
