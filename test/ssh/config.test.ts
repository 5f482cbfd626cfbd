import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type HostSettings, readSshConfig } from "../../src/ssh/config/ssh-config.ts";

const dir = mkdtempSync(join(tmpdir(), "ssh-config-"));
const file = join(dir, "config");

beforeAll(() => {
  mkdirSync(join(dir, "config.d"));
  writeFileSync(
    file,
    `# a comment
Include ${dir}/config.d/*.conf
User deploy
Host a
  HostName 10.0.0.1
  Port 2201
  IdentityFile "~/.ssh/my key"
  IdentityFile ~/.ssh/second
  IdentityAgent ~/.1password/agent.sock
Host b
  HostName=%h.example.com
  IdentityAgent "~/Library/Group Containers/x/agent.sock"
  ProxyJump me@bastion:2222,second
Host c
  ProxyCommand ssh -W "%h:%p" gate   # not a comment
  ProxyJump late
  UserKnownHostsFile ~/.ssh/kh1 "~/.ssh/kh 2"
Host !d *.corp d?
  port 77
Match host e
  Port 88
Match originalhost f user deploy
  Port 99
Match !originalhost a exec "test %h = %n"
  HostKeyAlias same-%n
Match user nobody
  IdentitiesOnly yes
Host g
  hostname sg1.internal
Match host "*.internal" localuser "*"
  IdentitiesOnly yes
Match final host sg1.internal
  IdentityFile ~/.ssh/last
Host h
  Include ${dir}/inside
Host i
  ProxyJump none
  ProxyCommand nc %h %p
Host *
  Port 22
  IdentityFile ~/.ssh/usual
`,
  );
  writeFileSync(join(dir, "config.d/one.conf"), "Host inc\n  Port 1111\n");
  writeFileSync(join(dir, "inside"), "Port 4444\nHost h x\n  HostKeyAlias inside\nHost other\n  HostKeyAlias wrong\n");
});
afterAll(() => rmSync(dir, { recursive: true }));

/** What OpenSSH itself makes of it. */
function asked(alias: string): ReadonlyMap<string, readonly string[]> {
  const text = execFileSync("ssh", ["-G", "-F", file, alias], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const found = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const [, name, value] = /^(\w+) (.*)$/.exec(line) ?? [];
    if (name !== undefined) found.set(name, [...(found.get(name) ?? []), value!]);
  }
  return found;
}

describe("OpenSSH's configuration", () => {
  it.each(["inc", "a", "b", "c", "d", "da", "x.corp", "e", "E", "f", "g", "h", "i", "x", "another"])(
    "says of %s what ssh says",
    async (alias) => {
      const ours: HostSettings = (await readSshConfig(file))(alias);
      const theirs = asked(alias);
      const home = (path: string): string => path.replace(/^~/, homedir());
      const known = theirs.get("userknownhostsfile")![0]!;
      expect({
        ...ours,
        hostName: ours.hostName ?? alias.toLowerCase(),
        knownHostsFiles: ours.knownHostsFiles.join(" "),
      }).toEqual({
        hostName: theirs.get("hostname")![0],
        user: theirs.get("user")![0],
        port: Number(theirs.get("port")![0]),
        identityFiles: theirs.get("identityfile")!.map(home),
        identitiesOnly: theirs.get("identitiesonly")![0] === "yes",
        knownHostsFiles: known.includes("kh1") ? known : "",
        ...(theirs.has("identityagent") && { identityAgent: theirs.get("identityagent")![0] }),
        ...(theirs.has("proxyjump") && { proxyJump: theirs.get("proxyjump")![0] }),
        ...(theirs.has("proxycommand") && { proxyCommand: theirs.get("proxycommand")![0] }),
        ...(theirs.has("hostkeyalias") && { hostKeyAlias: theirs.get("hostkeyalias")![0] }),
      });
    },
  );

  it("fills in what a path is made of", async () => {
    writeFileSync(
      join(dir, "tokens"),
      "Host t\n  HostName t.example\n  IdentityFile ~/.ssh/%r@%h-%p\n  IdentityAgent ${HOME}/x\n",
    );
    const config = await readSshConfig(join(dir, "tokens"));
    expect(config("t", { user: "me", port: 2222 })).toMatchObject({
      identityFiles: [join(homedir(), ".ssh/me@t.example-2222")],
      identityAgent: `${process.env["HOME"]}/x`,
    });
  });
});
