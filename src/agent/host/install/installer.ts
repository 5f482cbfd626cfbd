import { createHash, randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { ownCache } from "../../own-cache.ts";
import { SkyError } from "../../../errors/sky-error.ts";
import type { InstallPlan } from "../../../wire/install-plan.ts";
import type { NpmSettings } from "../../../wire/records.ts";
import { findNpm } from "../../find-npm.ts";
import { type NpmEnd, runNpm } from "./npm.ts";
import { platformName } from "./platform.ts";

const OPTIONS = [
  "--no-audit",
  "--no-fund",
  "--no-progress",
  "--omit=dev",
  "--prefer-offline",
  "--loglevel=error",
  "--logs-max=0",
];
/** Packages that no run has used for this long are removed. */
const UNUSED_MS = 30 * 24 * 3600_000;
/** What an installation that never ended has left. */
const ABANDONED_MS = 3600_000;
const UNREACHED = /\b(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_SOCKET_TIMEOUT|E5\d\d|E429)\b/;

export interface InstallerEvents {
  installing(name: string): void;
  installed(name: string, elapsedMs: number): void;
  /** The controller's npm, for a machine without one; undefined when that has none either. */
  pushedNpm(): Promise<string | undefined>;
}

/**
 * Packages with native code on this machine: one folder for each with all that it needs, by its plan and the platform, for
 * every pool that comes to it.
 */
export class Installer {
  readonly #cache = ownCache("deps");
  /** For npm's settings, which hold secrets: a folder that only this account reads. */
  readonly #private: string;
  readonly #events: InstallerEvents;
  readonly #open = new Map<string, Promise<string>>();

  constructor(privateDir: string, events: InstallerEvents) {
    this.#private = privateDir;
    this.#events = events;
  }

  /** The folder of the package. `plan` is the blob's content. @throws SkyError SKY_INSTALL_FAILED */
  install(plan: Buffer, settings: NpmSettings): Promise<string> {
    const key = createHash("sha256").update(plan).update(platformName()).digest("hex").slice(0, 32);
    let open = this.#open.get(key);
    if (open === undefined) {
      open = this.#install(key, JSON.parse(plan.toString()) as InstallPlan, settings);
      this.#open.set(key, open);
      open.catch(() => this.#open.delete(key));
    }
    return open;
  }

  async #install(key: string, plan: InstallPlan, settings: NpmSettings): Promise<string> {
    const folder = join(this.#cache, key);
    const place = join(folder, "node_modules", plan.name);
    if (existsSync(folder)) {
      const now = new Date();
      utimesSync(folder, now, now);
      return place;
    }
    const began = performance.now();
    const label = `${plan.name}@${plan.version}`;
    this.#events.installing(label);
    const work = join(this.#cache, `.${key}.${randomBytes(4).toString("hex")}`);
    try {
      mkdirSync(work, { recursive: true });
      await this.#fill(work, plan, settings);
      this.#keep(work, folder);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
    this.#clean();
    this.#events.installed(label, Math.round(performance.now() - began));
    return place;
  }

  async #fill(work: string, plan: InstallPlan, settings: NpmSettings): Promise<void> {
    if (plan.unlisted === true) throw unlisted(plan);
    const npm = findNpm() ?? (await this.#events.pushedNpm());
    if (npm === undefined)
      throw failed(
        plan,
        "there is no npm, here or there",
        "Install npm on this machine, or Node with npm on the node.",
      );
    writeFileSync(join(work, "package.json"), JSON.stringify(plan.manifest));
    if (plan.lock !== undefined) writeFileSync(join(work, "package-lock.json"), JSON.stringify(plan.lock));
    const own = join(this.#private, `npm-${randomBytes(4).toString("hex")}`);
    try {
      const env = this.#settings(own, settings);
      const run = (...args: readonly string[]): Promise<NpmEnd> => runNpm(npm, [...args, ...OPTIONS], work, env);
      expectDone(plan, await run(plan.lock === undefined ? "install" : "ci", "--ignore-scripts"));
      checkIntegrity(work, plan);
      if (plan.scripts.length > 0) expectDone(plan, await run("rebuild", ...plan.scripts, "--ignore-scripts=false"));
    } finally {
      rmSync(own, { recursive: true, force: true });
    }
    if (!existsSync(join(work, "node_modules", plan.name)))
      throw failed(plan, "npm did not install it, so it has nothing for this platform", undefined);
  }

  /** Writes npm's settings, the machine's own first: nothing of them is in an argument. */
  #settings(folder: string, { rc, cafile, ca }: NpmSettings): Record<string, string> {
    mkdirSync(folder, { mode: 0o700 });
    const machines = process.env["npm_config_userconfig"] ?? join(homedir(), ".npmrc");
    const before = existsSync(machines) ? `${readFileSync(machines, "utf8")}\n` : "";
    const userconfig = join(folder, "npmrc");
    let text = before + rc;
    if (cafile !== undefined) {
      const file = join(folder, "cafile.pem");
      writeFileSync(file, cafile);
      text += `cafile = ${file}\n`;
    }
    writeFileSync(userconfig, text, { mode: 0o600 });
    const env: Record<string, string> = { npm_config_userconfig: userconfig };
    if (ca !== undefined && process.env["NODE_EXTRA_CA_CERTS"] === undefined) {
      env["NODE_EXTRA_CA_CERTS"] = join(folder, "ca.pem");
      writeFileSync(env["NODE_EXTRA_CA_CERTS"], ca);
    }
    return env;
  }

  /** Another agent of this machine may have been quicker. */
  #keep(work: string, folder: string): void {
    try {
      renameSync(work, folder);
    } catch (error) {
      if (!existsSync(folder)) throw error;
    }
  }

  #clean(): void {
    const now = Date.now();
    for (const name of readdirSync(this.#cache)) {
      const path = join(this.#cache, name);
      const { mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { mtimeMs: now };
      if (now - mtimeMs > (name.startsWith(".") ? ABANDONED_MS : UNUSED_MS))
        rmSync(path, { recursive: true, force: true });
    }
  }
}

function expectDone(plan: InstallPlan, { code, lines }: NpmEnd): void {
  if (code === 0) return;
  const how = code === null ? "npm could not run, or was ended" : `npm ended with code ${code}`;
  throw failed(plan, `${how}\n${lines}`, hintFor(lines), UNREACHED.test(lines), code);
}

function hintFor(lines: string): string | undefined {
  if (UNREACHED.test(lines)) return "The node does not reach the registry: set registry, or a proxy, in .npmrc.";
  if (/\bEBADPLATFORM\b/.test(lines)) return "The package is made for another platform than the node has.";
  return undefined;
}

/** Without a lock npm chose by version alone: what it noted of each archive must be what the user's lockfile has. */
function checkIntegrity(work: string, plan: InstallPlan): void {
  const expected = plan.integrity ?? {};
  if (Object.keys(expected).length === 0) return;
  const hidden = readFileSync(join(work, "node_modules/.package-lock.json"), "utf8");
  const { packages } = JSON.parse(hidden) as {
    readonly packages: Readonly<Record<string, { readonly version?: string; readonly integrity?: string }>>;
  };
  for (const [at, { version, integrity }] of Object.entries(packages)) {
    const wanted = expected[`${at.slice(at.lastIndexOf("node_modules/") + "node_modules/".length)}@${version}`];
    if (
      wanted !== undefined &&
      integrity !== undefined &&
      algorithm(wanted) === algorithm(integrity) &&
      wanted !== integrity
    )
      throw failed(plan, `${at} has the integrity ${integrity}, and the lockfile says ${wanted}`, undefined);
  }
}

function algorithm(integrity: string): string {
  return integrity.slice(0, integrity.indexOf("-"));
}

function unlisted(plan: InstallPlan): SkyError {
  return failed(
    plan,
    "its install script builds it, and package.json does not list that",
    `List it in package.json, if you trust it: "allowScripts": { ${JSON.stringify(plan.name)}: true }`,
  );
}

function failed(
  { name, version }: InstallPlan,
  why: string,
  hint: string | undefined,
  retryable = false,
  exitCode?: number | null,
): SkyError {
  return new SkyError("SKY_INSTALL_FAILED", `${name}@${version} can't be installed on the node: ${why}`, {
    ...(hint === undefined ? {} : { hint }),
    retryable,
    details: { package: name, version, ...(exitCode === undefined ? {} : { exitCode }) },
  });
}
