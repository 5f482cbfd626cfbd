import { expect, it } from "vitest";
import { Program } from "../support/run-program.ts";

it("what tasks give while their link is away outlives their host", async () => {
  const output = await Program.run("outcomes-kept");
  expect(output.match(/^ok .*$/gm)).toEqual([
    "ok what ends while the link is away lies on disk",
    "ok the death of the host loses none of them",
    "ok what had not ended runs again",
    "ok nothing stays on disk",
    "ok and comes from there when the link is back",
  ]);
});
