import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { NpmSettings } from "../../../wire/records.ts";

/** Settings that say where packages come from and how they are reached. All others stay at home. */
const PASSED =
  /^(?:registry|@[^:]+:registry|\/\/.+:.+|replace-registry-host|strict-ssl|proxy|https-proxy|noproxy|ca(?:\[\])?|fetch-[a-z-]+)$/;
const PROXIES = [
  ["https-proxy", "HTTPS_PROXY"],
  ["proxy", "HTTP_PROXY"],
  ["noproxy", "NO_PROXY"],
] as const;

const known = new Map<string, NpmSettings>();

/** How npm reaches registries in a project: its own .npmrc, the user's and the machine's, and the environment. */
export function npmSettings(root: string): NpmSettings {
  let settings = known.get(root);
  if (settings === undefined) {
    settings = read(root, process.env);
    known.set(root, settings);
  }
  return settings;
}

function read(root: string, env: NodeJS.ProcessEnv): NpmSettings {
  const configured = (name: string): string | undefined =>
    env[`npm_config_${name}`] ?? env[`NPM_CONFIG_${name.toUpperCase()}`];
  const files = [
    configured("globalconfig") ?? join(dirname(process.execPath), "../etc/npmrc"),
    configured("userconfig") ?? join(homedir(), ".npmrc"),
    join(root, ".npmrc"),
  ];
  // A later line wins.
  const lines = [...proxies(env), ...files.flatMap((file) => linesOf(file, env)), ...fromEnvironment(env)];
  const extra = env["NODE_EXTRA_CA_CERTS"];
  return {
    rc: lines.map((line) => `${line}\n`).join(""),
    ...(extra !== undefined && existsSync(extra) ? { ca: readFileSync(extra, "utf8") } : {}),
  };
}

function proxies(env: NodeJS.ProcessEnv): string[] {
  return PROXIES.flatMap(([key, name]) => {
    const value = env[name] ?? env[name.toLowerCase()];
    return value === undefined || value === "" ? [] : [`${key} = ${value}`];
  });
}

function linesOf(file: string, env: NodeJS.ProcessEnv): string[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split(/\r?\n/)
    .flatMap((line) => {
      const [, key, given] = /^\s*([^;#=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
      if (key === undefined || given === undefined) return [];
      // What it names is at home: the node has neither the variable nor the file.
      const value = given.replaceAll(/(?<!\\)\$\{([^}]+?)\??\}/g, (all, name: string) => env[name] ?? all);
      if (key === "cafile") return certificates(resolve(dirname(file), value));
      return PASSED.test(key) ? [`${key} = ${value}`] : [];
    });
}

function certificates(file: string): string[] {
  if (!existsSync(file)) return [];
  const found = readFileSync(file, "utf8").match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? [];
  return found.map((text) => `ca[] = ${JSON.stringify(text)}`);
}

function fromEnvironment(env: NodeJS.ProcessEnv): string[] {
  return Object.entries(env).flatMap(([name, value]) => {
    const [, key] = /^npm_config_(.+)$/i.exec(name) ?? [];
    if (key === undefined || value === undefined) return [];
    const plain = key.startsWith("//") ? key : key.replaceAll(/(?!^)_/g, "-").toLowerCase();
    if (plain === "cafile") return certificates(value);
    return PASSED.test(plain) ? [`${plain} = ${value}`] : [];
  });
}
