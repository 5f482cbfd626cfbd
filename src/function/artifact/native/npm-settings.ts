import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { isLoopbackProxy } from "./loopback-proxy.ts";
import type { NpmSettings } from "../../../wire/records.ts";

/** Settings that say where packages come from and how they are reached. All others stay at home. */
const PASSED =
  /^(?:registry|@[^:]+:registry|\/\/.+:.+|replace-registry-host|strict-ssl|proxy|https-proxy|noproxy|ca(?:\[\])?|fetch-[a-z-]+)$/;
const PROXIES = [
  ["https-proxy", "HTTPS_PROXY"],
  ["proxy", "HTTP_PROXY"],
  ["noproxy", "NO_PROXY"],
] as const;

type Setting = readonly [key: string, value: string];

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
  const all = [...proxies(env), ...files.flatMap((file) => settingsOf(file, env)), ...fromEnvironment(env)];
  const cafile = textOf(all.findLast(([key]) => key === "cafile")?.[1]);
  const ca = textOf(env["NODE_EXTRA_CA_CERTS"]);
  return {
    rc: all
      .map(([key, value]) =>
        PASSED.test(key) && !(key.endsWith("proxy") && isLoopbackProxy(value)) ? `${key} = ${value}\n` : "",
      )
      .join(""),
    ...(cafile === undefined ? {} : { cafile }),
    ...(ca === undefined ? {} : { ca }),
  };
}

function textOf(file: string | undefined): string | undefined {
  return file !== undefined && existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

function proxies(env: NodeJS.ProcessEnv): Setting[] {
  return PROXIES.flatMap(([key, name]) => {
    const value = env[name] ?? env[name.toLowerCase()];
    return value === undefined || value === "" || isLoopbackProxy(value) ? [] : [[key, value] as const];
  });
}

function settingsOf(file: string, env: NodeJS.ProcessEnv): Setting[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split(/\r?\n/)
    .flatMap((line): Setting[] => {
      const [, key, given] = /^\s*([^;#=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
      if (key === undefined || given === undefined) return [];
      // The node does not have the variables, nor the file.
      const value = given.replaceAll(/(?<!\\)\$\{([^}]+?)\??\}/g, (all, name: string) => env[name] ?? all);
      return [[key, key === "cafile" ? resolve(dirname(file), value) : value]];
    });
}

function fromEnvironment(env: NodeJS.ProcessEnv): Setting[] {
  return Object.entries(env).flatMap(([name, value]): Setting[] => {
    const [, key] = /^npm_config_(.+)$/i.exec(name) ?? [];
    if (key === undefined || value === undefined) return [];
    const plain = key.startsWith("//") ? key : key.replaceAll(/(?!^)_/g, "-").toLowerCase();
    return [[plain, value]];
  });
}
