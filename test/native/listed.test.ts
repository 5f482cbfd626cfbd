import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { SmallProject } from "../support/small-project.ts";
import { Sshd } from "../support/sshd.ts";
import { Registry } from "./registry.ts";

// npm runs several times, on machines that others use too.
vi.setConfig({ testTimeout: 150_000 });

const PROGRAM = `
import * as sky from "skyward";
import { version } from "kept";
import { version as same } from "same";
import { made } from "scripted";

const provider = process.env.SSH ? sky.ssh(JSON.parse(process.env.SSH)) : sky.local();
const seen = sky.fn(async () => {
  const { version: theirs } = await import("only-there");
  return { version, same, made, theirs };
});
const alone = sky.fn(() => version);
const image = { npm: ["kept@2.0.0", "same", "scripted@1.0.0", "only-there@^1"], npmScripts: ["scripted"] };
const refused = sky.fn(async () => import("only-there"));
const pools = [
  await sky.compute({ provider, image, nodes: 1, console: "silent", functions: [seen] }, (pool) => pool.run(seen())),
  await sky.compute({ provider, nodes: 1, console: "silent" }, (pool) => pool.run(alone())),
  await sky.compute({ provider, image, nodes: 1, console: "silent" }, (pool) => pool.run(alone())),
  await sky.compute({ provider, nodes: 1, console: "silent", functions: [refused] }).catch((error) => error.code),
];
process.stdout.write(JSON.stringify(pools));
`;

let registry: Registry;
let project: SmallProject;
let home: string;

beforeAll(async () => {
  registry = await Registry.start();
  home = mkdtempSync(join(tmpdir(), "sky-home-"));
  const publish = (name: string, version: string, more: object = {}, index?: string): void => {
    const folder = join(home, `${name}-${version}`);
    mkdirSync(folder);
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name, version, ...more }));
    writeFileSync(join(folder, "index.js"), index ?? `exports.version = "${name} ${version} of the registry";`);
    registry.add(name, version, folder);
    rmSync(folder, { recursive: true });
  };
  publish("kept", "1.0.0");
  publish("kept", "2.0.0", { dependencies: { beneath: "1.0.0" } }, `exports.version = require("beneath").version;`);
  publish("beneath", "1.0.0");
  publish("same", "1.0.0");
  publish("same", "3.0.0");
  publish("only-there", "1.5.0");
  publish("only-there", "2.0.0");
  const install = { scripts: { install: "echo 'exports.made = \"by its script\";' > made.js" } };
  publish("scripted", "1.0.0", install, `exports.made = require("./made.js").made;`);
  const installed = (name: string, version: string, index = `exports.version = "${name} ${version} of home";`) => ({
    [`node_modules/${name}/package.json`]: JSON.stringify({ name, version }),
    [`node_modules/${name}/index.js`]: index,
  });
  project = new SmallProject({
    "src/main.ts": PROGRAM,
    ".npmrc": `registry = ${registry.url}\n${registry.url.slice(5)}:_authToken = ${registry.token}\nfetch-retries = 0\n`,
    ...installed("kept", "1.0.0"),
    ...installed("same", "1.0.0"),
    ...installed("scripted", "0.9.0", `exports.made = "at home";`),
  });
});

afterAll(async () => {
  project[Symbol.dispose]();
  await registry[Symbol.asyncDispose]();
  rmSync(home, { recursive: true });
});

async function run(env: Readonly<Record<string, string>>): Promise<unknown> {
  const tsx = join(import.meta.dirname, "../../node_modules/tsx/dist/loader.mjs");
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--conditions=skyward:source", "--import", tsx, "src/main.ts"],
    { cwd: project.root, env: { ...process.env, ...env }, maxBuffer: 1 << 24 },
  );
  return JSON.parse(stdout) as unknown;
}

const seen = (same: string): object => ({
  version: "beneath 1.0.0 of the registry",
  same,
  made: "by its script",
  theirs: "only-there 1.5.0 of the registry",
});

test("packages that the image lists are installed for that pool, in its versions, with the scripts that it allows", async () => {
  const env = { HOME: join(home, "there"), XDG_CACHE_HOME: join(home, "there/.cache") };
  await using sshd = await Sshd.start({ env });
  const ssh = { hosts: [sshd.target], key: sshd.key, knownHosts: sshd.knownHosts };
  expect(await run({ SSH: JSON.stringify(ssh) })).toEqual([
    seen("same 1.0.0 of the registry"),
    "kept 1.0.0 of home",
    "beneath 1.0.0 of the registry",
    "SKY_CAPTURE_UNRESOLVED",
  ]);
});

test("on this machine what the project has in that version is taken from there", async () => {
  const installed = registry.served.length;
  const env = { HOME: join(home, "here"), XDG_CACHE_HOME: join(home, "here/.cache") };
  expect(await run(env)).toEqual([
    seen("same 1.0.0 of home"),
    "kept 1.0.0 of home",
    "beneath 1.0.0 of the registry",
    "SKY_CAPTURE_UNRESOLVED",
  ]);
  expect(registry.served.slice(installed).filter((path) => path.startsWith("/same/"))).toEqual([]);
});
