import { describe, expect, it } from "vitest";
import { leftProcesses } from "../support/left-over.ts";
import { Program } from "../support/run-program.ts";
import { Sshd } from "../support/sshd.ts";

/** The process that forks one for each connection. */
function pidOf({ dir }: Sshd): number {
  const [line = ""] = leftProcesses(`${dir}/sshd_config`);
  return Number.parseInt(line, 10);
}

const seed = (): string => String(process.env["SKYWARD_SEED"] ?? Math.floor(Math.random() * 1e9));

describe("each task runs once and each result arrives once", () => {
  it("although links are cut 100 times at random moments during 10,000 tasks", async () => {
    const said = await Program.run("cuts", { args: [seed()] });
    expect(said).toMatch(/^ok \d{5} results arrived once each$/m);
  });

  it("over SSH, although sessions are killed too", async () => {
    await using server = await Sshd.start();
    const ssh = { hosts: [server.target], key: server.key, knownHosts: server.knownHosts, daemon: pidOf(server) };
    const said = await Program.run("cuts", { args: [seed()], env: { SSH: JSON.stringify(ssh) } });
    expect(said).toMatch(/^ok \d{5} results arrived once each$/m);
    expect(said).toMatch(/[1-9]\d* sessions killed/);
  });
});

it("streams go on where they were although their links are cut", async () => {
  const said = await Program.run("streams-cut", { args: [seed()] });
  expect(said).toMatch(/^ok \d+ elements arrived once each and in order/m);
});
