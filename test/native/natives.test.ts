import { execFile } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { SmallProject } from "../support/small-project.ts";
import { Sshd } from "../support/sshd.ts";
import { Registry } from "./registry.ts";

// npm runs several times, on machines that others use too.
vi.setConfig({ testTimeout: 150_000 });

const modules = join(import.meta.dirname, "../../node_modules");
const NATIVE = "@napi-rs/nice";
const { version } = JSON.parse(readFileSync(join(modules, NATIVE, "package.json"), "utf8")) as { version: string };
const [platform = ""] = readdirSync(join(modules, "@napi-rs")).filter((name) => name.startsWith("nice-"));
const PLATFORM = `@napi-rs/${platform}`;

const PROGRAM = `
import { createRequire } from "node:module";
import * as sky from "skyward";
import { nice } from "@napi-rs/nice";
import { missing } from "missing";
import { built } from "built";
import { scripted } from "scripted";

const provider = process.env.SSH ? sky.ssh(JSON.parse(process.env.SSH)) : sky.local();
const native = sky.fn(() => {
  const place = createRequire(import.meta.url).resolve("@napi-rs/nice");
  return { priority: nice(0), place };
}, { name: "native" });
const plain = sky.fn((x: number) => x + 1, { name: "plain" });
const gone = sky.fn(() => missing, { name: "gone" });
const setUp = sky.fn(() => scripted, { name: "setUp" });
const failure = (error: unknown) => {
  if (!(error instanceof sky.SkyError)) throw error;
  const { code, message, hint, retryable, details } = error;
  return { code, message, hint, retryable, details };
};

if (process.env.LISTED) {
  const run = process.env.LISTED === "scripted" ? setUp : native;
  const functions = process.env.LISTED === "built" ? [native, () => built] : [run];
  const opened = sky.compute({ provider, nodes: 1, console: "silent", functions }, (pool) => pool.run(run()));
  process.stdout.write(JSON.stringify({ first: await opened.catch(failure) }));
} else await sky.compute({ provider, nodes: 1, console: "silent" }, async (pool) => {
  const events: string[] = [];
  void (async () => {
    for await (const event of pool.events) if (event.type.startsWith("Node.Install")) events.push(event.type + " " + event.package);
  })();
  const waits = pool.run(native());
  const meanwhile = await pool.run(plain(1));
  const before = waits.status;
  const why = pool.explain();
  if (process.env.RELEASE) await fetch(process.env.RELEASE);
  const first = await waits;
  const [second] = await pool.broadcast(native());
  const all = await pool.map(native, [1, 2, 3, 4]);
  const refused = process.env.SSH
    ? [
        await pool.run(gone()).catch(failure),
        await pool.broadcast(gone()).catch((error) => failure(error.errors[0])),
        await pool.run(sky.fn(() => built)()).catch(failure),
      ]
    : [await pool.run(sky.fn(() => [missing, built])())];
  process.stdout.write(JSON.stringify({ meanwhile, before, why, first, second, all: all.length, refused, events }));
});
`;

interface Answer {
  readonly meanwhile: number;
  readonly before: string;
  readonly why: string | undefined;
  readonly first: { readonly priority: number; readonly place: string };
  readonly second: Answer["first"];
  readonly all: number;
  readonly refused: readonly unknown[];
  readonly events: readonly string[];
}

let registry: Registry;
let project: SmallProject;
let server: Sshd;
let home: string;

beforeAll(async () => {
  registry = await Registry.start();
  const entry = registry.add(NATIVE, version, join(modules, NATIVE));
  const { os, cpu, libc } = JSON.parse(readFileSync(join(modules, PLATFORM, "package.json"), "utf8")) as Record<
    string,
    unknown
  >;
  const scripted = mkdtempSync(join(tmpdir(), "scripted-"));
  const scripts = { install: "echo 'exports.scripted = \"by its script\";' > made.js" };
  writeFileSync(join(scripted, "package.json"), JSON.stringify({ name: "scripted", version: "1.0.0", scripts }));
  writeFileSync(join(scripted, "index.js"), 'exports.scripted = require("./made.js").scripted;');
  writeFileSync(join(scripted, "binding.gyp"), "");
  const bare = { version: "1.0.0", integrity: "sha512-AAAA" };
  const stub = (name: string): string => JSON.stringify({ name, version: "1.0.0" });
  project = new SmallProject({
    "src/main.ts": PROGRAM,
    ".npmrc": `registry = ${registry.url}\n${registry.url.slice(5)}:_authToken = \${REGISTRY_TOKEN}\nfetch-retries = 0\n`,
    "package.json": JSON.stringify({ type: "module", allowScripts: { scripted: true } }),
    "package-lock.json": JSON.stringify({
      lockfileVersion: 3,
      packages: {
        "": {},
        [`node_modules/${NATIVE}`]: {
          ...entry,
          optionalDependencies: { [PLATFORM]: version, "@napi-rs/nice-elsewhere": version },
        },
        [`node_modules/${PLATFORM}`]: {
          ...registry.add(PLATFORM, version, join(modules, PLATFORM)),
          os,
          cpu,
          libc,
          optional: true,
        },
        "node_modules/@napi-rs/nice-elsewhere": { version, integrity: "sha512-AAAA", os: ["aix"], optional: true },
        "node_modules/scripted": { ...registry.add("scripted", "1.0.0", scripted), hasInstallScript: true },
        "node_modules/missing": bare,
        "node_modules/built": bare,
      },
    }),
    "node_modules/missing/package.json": stub("missing"),
    "node_modules/missing/index.js": "exports.missing = 'missing';",
    "node_modules/missing/prebuilds/any.node": "",
    "node_modules/built/package.json": stub("built"),
    "node_modules/built/index.js": "exports.built = 'built';",
    "node_modules/built/binding.gyp": "",
  });
  cpSync(scripted, join(project.root, "node_modules/scripted"), { recursive: true });
  writeFileSync(join(project.root, "node_modules/scripted/made.js"), "exports.scripted = 'at home';");
  rmSync(scripted, { recursive: true });
  for (const name of [NATIVE, PLATFORM]) {
    const to = join(project.root, "node_modules", name);
    mkdirSync(dirname(to), { recursive: true });
    cpSync(join(modules, name), to, { recursive: true });
  }
  server = await Sshd.start();
  home = join(server.dir, "home");
  await server[Symbol.asyncDispose]();
  server = await Sshd.start({ env: { HOME: home } });
  mkdirSync(home, { recursive: true });
});

afterAll(async () => {
  project[Symbol.dispose]();
  await registry[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

async function run(env: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const tsx = join(modules, "tsx/dist/loader.mjs");
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--conditions=skyward:source", "--import", tsx, "src/main.ts"],
    { cwd: project.root, env: { ...process.env, REGISTRY_TOKEN: registry.token, ...env }, maxBuffer: 1 << 24 },
  );
  return JSON.parse(stdout) as Answer;
}

test("on this machine the installed package is used where it is", async () => {
  const answer = await run();
  expect(answer.first).toEqual({
    priority: expect.any(Number),
    place: join(project.root, "node_modules", NATIVE, "nice.js"),
  });
  expect(answer.second).toEqual(answer.first);
  expect(answer.refused).toEqual([["missing", "built"]]);
  expect(answer).toMatchObject({ meanwhile: 2, all: 4, events: [] });
  expect(registry.served).toEqual([]);
});

test("elsewhere it is installed as the lockfile says, once, while other functions run", async () => {
  void registry.hold();
  const env = {
    SSH: JSON.stringify({ hosts: [server.target], key: server.key, knownHosts: server.knownHosts }),
    RELEASE: `${registry.url}release`,
  };
  const answer = await run(env);
  const deps = join(home, ".cache/skyward/deps");
  expect(answer.first.priority).toEqual(expect.any(Number));
  expect(answer.first.place).toMatch(/\.cache\/skyward\/deps\/[0-9a-f]{32}\/node_modules\/@napi-rs\/nice\/nice\.js$/);
  expect(answer.second).toEqual(answer.first);
  expect(answer).toMatchObject({ meanwhile: 2, before: "queued", all: 4 });
  expect(answer.events).toEqual([
    `Node.Installing ${NATIVE}@${version}`,
    `Node.Installed ${NATIVE}@${version}`,
    "Node.Installing missing@1.0.0",
    "Node.Installing built@1.0.0",
  ]);
  expect([...registry.served].sort()).toEqual(
    [`/${PLATFORM}/-/${platform}-${version}.tgz`, `/${NATIVE}/-/nice-${version}.tgz`].sort(),
  );

  const missing = {
    code: "SKY_INSTALL_FAILED",
    message: expect.stringMatching(/^missing@1\.0\.0 can't be installed on the node: npm ended with code 1\n[^]*404/),
    retryable: false,
    details: { package: "missing", version: "1.0.0", exitCode: 1, node: 0 },
  };
  expect(answer.refused).toMatchObject([
    missing,
    missing,
    {
      code: "SKY_INSTALL_FAILED",
      message:
        "built@1.0.0 can't be installed on the node: its install script builds it, and package.json does not list that",
      hint: expect.stringContaining('"allowScripts": { "built": true }'),
    },
  ]);

  // The next run, and the next pool, find it there; nothing is left of what failed.
  expect((await run(env)).first).toEqual(answer.first);
  expect(registry.served).toHaveLength(2);
  expect(readdirSync(deps)).toHaveLength(1);
  // The token reached the registry, and lies nowhere.
  expect(registry.commands.join("\n")).not.toContain(registry.token);
  const files = readdirSync(home, { recursive: true, encoding: "utf8" }).map((name) => join(home, name));
  expect(files.filter((file) => statSync(file).isFile() && readFileSync(file).includes(registry.token))).toEqual([]);
  expect(existsSync(join(home, ".npm"))).toBe(true);
});

test("for a function that the pool is told of it is installed before the node is ready, or refused before there is one", async () => {
  const ssh = { hosts: [server.target], key: server.key, knownHosts: server.knownHosts };
  rmSync(join(home, ".cache/skyward/deps"), { recursive: true });
  const { first } = await run({ LISTED: "native", SSH: JSON.stringify(ssh) });
  expect(first.place).toContain(".cache/skyward/deps");
  expect(readdirSync(join(home, ".cache/skyward/deps"))).toHaveLength(1);
  const nowhere = { ...ssh, hosts: ["127.0.0.1:1"] };
  expect((await run({ LISTED: "built", SSH: JSON.stringify(nowhere) })).first).toMatchObject({
    code: "SKY_INSTALL_FAILED",
    details: { package: "built", version: "1.0.0" },
  });
});

test("an install script runs where package.json lists it", async () => {
  const ssh = { hosts: [server.target], key: server.key, knownHosts: server.knownHosts };
  expect((await run({ LISTED: "scripted", SSH: JSON.stringify(ssh) })).first).toBe("by its script");
});

test("a link that is cut while it installs is made anew", async () => {
  const ssh = { hosts: [server.target], key: server.key, knownHosts: server.knownHosts };
  for (const left of [".cache/skyward/deps", ".npm"]) rmSync(join(home, left), { recursive: true });
  const asked = registry.hold();
  const running = run({ LISTED: "native", SSH: JSON.stringify(ssh) });
  await Promise.race([asked, running]);
  await server.kill();
  await server.restart();
  registry.release();
  expect((await running).first.place).toContain(".cache/skyward/deps");
});

test("a node without npm gets ours", async () => {
  const dir = mkdtempSync(join(tmpdir(), "bare-"));
  const bin = join(dir, "bin");
  mkdirSync(bin);
  for (const folder of ["/usr/bin", "/bin", "/usr/sbin"]) {
    for (const name of existsSync(folder) ? readdirSync(folder) : [])
      if (!/^(?:node|nodejs|npm|npx|corepack)$/.test(name) && !existsSync(join(bin, name)))
        symlinkSync(join(folder, name), join(bin, name));
  }
  // A link would lead back to the folder that has npm too.
  cpSync(process.execPath, join(bin, "node"));
  await using bare = await Sshd.start({ env: { HOME: dir, PATH: bin } });
  const ssh = { hosts: [bare.target], key: bare.key, knownHosts: bare.knownHosts };
  const { first } = await run({ LISTED: "native", SSH: JSON.stringify(ssh) });
  expect(first.place).toContain(join(dir, ".cache/skyward/deps"));
  rmSync(dir, { recursive: true });
});
