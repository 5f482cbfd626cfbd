import { describe, it } from "vitest";
import { Program } from "../support/run-program.ts";

describe.concurrent("a supervisor that is killed -9", () => {
  it.for([
    ["one", "is replaced, and its node's work is done again"],
    ["both", "is replaced when no other is left"],
    ["stopped", "is replaced although its host can't notice"],
  ])("%s: %s", async ([how]) => {
    await Program.run("supervisor-killed", { args: [how!] });
  });
});
