import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import * as sky from "skyward";
import { Sshd } from "../support/sshd.ts";

const VERSION = process.versions.node;
const PLATFORM = `${process.platform}-${process.arch}`;

let dir: string;
let server: Server;
let mirror: string;
/** What was asked of the mirror, with who asked. */
let asked: string[] = [];

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "sky-mirror-"));
  const top = `node-v${VERSION}-${PLATFORM}`;
  mkdirSync(join(dir, top, "bin"), { recursive: true });
  cpSync(process.execPath, join(dir, top, "bin/node"));
  execFileSync("tar", ["-C", dir, "-I", "gzip -1", "-cf", join(dir, "archive"), top]);
  const archive = readFileSync(join(dir, "archive"));
  const files: Readonly<Record<string, string | Buffer>> = {
    "/index.json": JSON.stringify([{ version: "v18.1.0" }, { version: "v99.2.0" }, { version: `v${VERSION}` }]),
    [`/v${VERSION}/SHASUMS256.txt`]: `${createHash("sha256").update(archive).digest("hex")}  ${top}.tar.gz\n`,
    [`/v${VERSION}/${top}.tar.gz`]: archive,
  };
  server = createServer((request, response) => {
    asked.push(`${request.headers["user-agent"]?.split("/")[0]} ${request.url?.split("/").at(-1)}`);
    const file = files[request.url ?? ""];
    response.writeHead(file === undefined ? 404 : 200).end(file);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  mirror = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  rmSync(dir, { recursive: true });
});
afterEach(() => {
  vi.unstubAllEnvs();
  asked = [];
});

/** A machine without Node, and without the other programs that are named. */
async function machine(...without: readonly string[]): Promise<Sshd> {
  const home = mkdtempSync(join(dir, "home-"));
  const bin = join(home, "bin");
  mkdirSync(bin);
  for (const folder of ["/usr/bin", "/bin"]) {
    for (const name of existsSync(folder) ? readdirSync(folder) : [])
      if (!["node", "nodejs", ...without].includes(name) && !existsSync(join(bin, name)))
        symlinkSync(join(folder, name), join(bin, name));
  }
  return Sshd.start({ env: { HOME: home, XDG_CACHE_HOME: join(home, ".cache"), PATH: bin } });
}

const place = sky.fn(() => [process.versions.node, process.execPath] as const);

async function open(sshd: Sshd, node: string): Promise<readonly [string, string]> {
  const provider = sky.ssh({ hosts: [sshd.target], key: sshd.key, knownHosts: sshd.knownHosts });
  return sky.compute({ provider, image: { node }, console: "silent" }, (pool) => pool.run(place()));
}

test("a machine fetches its Node from the mirror, once", async () => {
  vi.stubEnv("SKYWARD_NODE_MIRROR", `${mirror}/`);
  await using sshd = await machine();
  const [found, path] = await open(sshd, VERSION.split(".")[0]!);
  expect(found).toBe(VERSION);
  expect(path).toMatch(/\.cache\/skyward\/node-[0-9a-f]{16}\/node$/);
  expect(readdirSync(dirname(dirname(path))).filter((name) => name.startsWith("node-"))).toHaveLength(1);
  const archive = `node-v${VERSION}-${PLATFORM}.tar.gz`;
  expect(asked).toEqual(["node index.json", "node SHASUMS256.txt", `curl ${archive}`]);
  asked = [];
  expect(await open(sshd, VERSION)).toEqual([found, path]);
  expect(asked).toEqual(["node index.json", "node SHASUMS256.txt"]);
});

test("a machine that does not reach the mirror is sent it", async () => {
  vi.stubEnv("SKYWARD_NODE_MIRROR", mirror);
  vi.stubEnv("XDG_CACHE_HOME", join(dir, "cache"));
  await using sshd = await machine("curl", "wget");
  const [found, path] = await open(sshd, VERSION);
  expect(found).toBe(VERSION);
  expect(path).toMatch(/\.cache\/skyward\/node-[0-9a-f]{16}\/node$/);
  expect(asked.at(-1)).toBe(`node node-v${VERSION}-${PLATFORM}.tar.gz`);
});

test("a machine's own Node is used where it is the one that was asked for, and only there", async () => {
  await using sshd = await Sshd.start({ env: { PATH: `${dirname(process.execPath)}:/usr/bin:/bin` } });
  expect(await open(sshd, VERSION)).toEqual([VERSION, process.execPath]);
  await expect(open(sshd, "22.0.0")).rejects.toMatchObject({
    code: "SKY_AGENT_FAILED",
    message: expect.stringContaining("has no Node 22.0.0"),
    hint: expect.stringMatching(/24\.\d+\.\d+ .*can be sent/),
  });
});

test("a version that nobody has is refused before anything is made, naming others", async () => {
  const nowhere = { provider: sky.ssh({ hosts: ["127.0.0.1:1"] }), console: "silent" } as const;
  vi.stubEnv("SKYWARD_NODE_MIRROR", mirror);
  await expect(sky.compute({ ...nowhere, image: { node: "98" } })).rejects.toMatchObject({
    code: "SKY_BAD_OPTION",
    message: `image.node is "98"; ${mirror} has 99.2.0, ${VERSION} and others`,
  });
  vi.stubEnv("SKYWARD_NODE_MIRROR", `${mirror}/missing`);
  await expect(sky.compute({ ...nowhere, image: { node: "24" } })).rejects.toThrow(
    /SKYWARD_NODE_MIRROR, can't be read: status 404/,
  );
  vi.stubEnv("SKYWARD_NODE_MIRROR", undefined);
  await expect(sky.compute({ ...nowhere, image: { node: "18" } })).rejects.toThrow(
    /image\.node must be 20\.19 or newer; got "18"/,
  );
  await expect(sky.compute({ ...nowhere, provider: sky.container(), image: { node: "23" } })).rejects.toMatchObject({
    message: expect.stringMatching(/image\.node is "23", and there is only 24\.\d+\.\d+ and 24\.\d+\.\d+ to send/),
  });
  await expect(sky.compute({ image: { node: "99" }, console: "silent" })).rejects.toThrow(
    /sky\.local\(\) has this program's own Node/,
  );
});
