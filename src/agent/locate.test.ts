import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { agentFile } from "./locate.ts";

describe("the agent's program", () => {
  it("is found from the sources, and knows its roles", () => {
    expect(agentFile()).toMatch(/dist\/agent\.js$/);
    expect(() => execFileSync(process.execPath, [agentFile(), "nonsense"], { stdio: "pipe" })).toThrow(
      /usage: agent supervisor/,
    );
  });
});
