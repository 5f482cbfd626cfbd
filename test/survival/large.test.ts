import { describe, expect, it } from "vitest";
import { Program } from "../support/run-program.ts";
import { Sshd } from "../support/sshd.ts";

const seed = (): string => String(process.env["SKYWARD_SEED"] ?? Math.floor(Math.random() * 1e9));

describe("large values", () => {
  it("arrive whole and once although their links are cut, over one bulk link per node at most", async () => {
    const said = await Program.run("large-cuts", { args: [seed()] });
    expect(said).toMatch(/^[1-9]\d* bulk links cut, [1-9]\d* opened$/m);
  });

  it("do so over SSH, by a second connection", async () => {
    await using server = await Sshd.start();
    const ssh = { hosts: [server.target], key: server.key, knownHosts: server.knownHosts };
    const said = await Program.run("large-cuts", { args: [seed()], env: { SSH: JSON.stringify(ssh) } });
    expect(said).toMatch(/bulk links cut, [1-9]\d* opened$/m);
  });

  it("do not stand in front of a cancel at 20 Mbit/s", async () => {
    expect(await Program.run("slow-bulk")).toMatch(/^ok the cancel took effect after \d+ ms$/m);
  });
});
