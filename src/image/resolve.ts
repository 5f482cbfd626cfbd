import { didYouMean } from "../errors/nearest.ts";
import { SkyError } from "../errors/sky-error.ts";
import type { ListedPackage } from "../function/artifact/native/listed.ts";
import { parseDuration } from "../function/duration.ts";
import { checkIncludes } from "./includes.ts";
import type { Image, PipIndex, ResolvedImage } from "./image.ts";
import { resolveMetrics } from "./resolve-metrics.ts";

const NAMES: readonly string[] = [
  "node",
  "npm",
  "npmScripts",
  "python",
  "pip",
  "pipIndexes",
  "apt",
  "env",
  "secrets",
  "shellVars",
  "includes",
  "excludes",
  "steps",
  "metrics",
  "bootstrapTimeout",
] satisfies (keyof Image)[];

/** What other systems call the same, or keep in the image. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  base: "the base image is set at the provider, as in sky.container({ image })",
  image: "the base image is set at the provider, as in sky.container({ image })",
  pip_indexes: 'it is written "pipIndexes"',
  shell_vars: 'it is written "shellVars"',
  bootstrap_timeout: 'it is written "bootstrapTimeout"',
};

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
const APT_PACKAGE = /^[a-z0-9][a-z0-9+.-]*(?::[a-z0-9-]+)?(?:=[A-Za-z0-9.+~:-]+)?$/;
const NPM_PACKAGE = /^(?:@[a-z0-9~][a-z0-9._~-]*\/)?[a-z0-9~][a-z0-9._~-]*(?:@[^\s@]+)?$/i;
const NODE_VERSION = /^\d+(?:\.\d+){0,2}$/;
const PYTHON_VERSION = /^3\.\d+(?:\.\d+)?$/;

/**
 * Checks what a user gave, before anything is made.
 * @param environment where `secrets` that are only named are looked up
 * @param folder what `includes` are relative to
 * @throws SkyError SKY_BAD_OPTION, SKY_BAD_DURATION: the field, the value, and what it should be
 */
export function resolveImage(
  given: Image | undefined,
  environment: Readonly<Record<string, string | undefined>>,
  folder: string = process.cwd(),
): ResolvedImage {
  const image = given ?? {};
  if (typeof image !== "object" || Array.isArray(image))
    throw bad("image", 'an object such as { pip: ["numpy"] }', image);
  for (const name of Object.keys(image)) {
    if (NAMES.includes(name)) continue;
    const elsewhere = ELSEWHERE[name];
    throw new SkyError(
      "SKY_BAD_OPTION",
      `image has no option "${name}"${elsewhere === undefined ? didYouMean(name, NAMES) || `; there are ${NAMES.join(", ")}.` : `: ${elsewhere}.`}`,
    );
  }
  const resolved: ResolvedImage = {
    node: version("node", image.node, NODE_VERSION, ["machine"], '"24", "24.21.0" or "machine"'),
    npm: list("npm", image.npm, NPM_PACKAGE, 'a package such as "sharp@0.33.5"'),
    npmScripts: list("npmScripts", image.npmScripts, NPM_PACKAGE, 'a package such as "sharp"'),
    python:
      version("python", image.python, PYTHON_VERSION, ["auto"], '"auto" or a version such as "3.12"') ??
      ((image.pip?.length ?? 0) > 0 ? "auto" : undefined),
    pip: list("pip", image.pip, /^[^\s-][^\n\0]*$/, 'a requirement such as "numpy>=2"'),
    pipIndexes: indexes(image.pipIndexes),
    apt: list("apt", image.apt, APT_PACKAGE, 'a package such as "ffmpeg"'),
    env: variables("env", image.env),
    secrets: secrets(image.secrets, environment),
    shellVars: variables("shellVars", image.shellVars),
    includes: checkIncludes(list("includes", image.includes, /^[^\0]+$/, "a path"), folder),
    excludes: list("excludes", image.excludes, /^[^\0]+$/, "a glob"),
    folder,
    steps: list("steps", image.steps, /^[^\0]+$/, "a shell command"),
    metrics: resolveMetrics(image.metrics),
    bootstrapTimeoutMs:
      image.bootstrapTimeout === undefined ? 300_000 : parseDuration(image.bootstrapTimeout, "image.bootstrapTimeout"),
  };
  if (resolved.bootstrapTimeoutMs === 0)
    throw bad("image.bootstrapTimeout", "longer than that", image.bootstrapTimeout);
  if (resolved.node !== undefined && resolved.node !== "machine" && !isModern(resolved.node))
    throw bad("image.node", "20.19 or newer", resolved.node);
  for (const name of resolved.npmScripts) {
    const known = resolved.npm.map(packageName);
    if (!known.includes(packageName(name)))
      throw new SkyError(
        "SKY_BAD_OPTION",
        `image.npmScripts names "${name}", which image.npm does not${didYouMean(name, known)}`,
      );
  }
  for (const [index, requirement] of resolved.pip.entries()) {
    for (const [, name] of requirement.matchAll(/\$\{([^}]*)\}/g)) {
      if (Object.hasOwn(resolved.shellVars, name!)) continue;
      throw new SkyError(
        "SKY_BAD_OPTION",
        `image.pip[${index}] is ${JSON.stringify(requirement)}, but image.shellVars has no "${name}"${didYouMean(name!, Object.keys(resolved.shellVars))}`,
      );
    }
  }
  return resolved;
}

/** Older Nodes don't run the agent; "20" means the newest 20. */
function isModern(node: string): boolean {
  const [major = 0, minor = 19] = node.split(".").map(Number);
  return major > 20 || (major === 20 && minor >= 19);
}

/** What `npm` and `npmScripts` say of each package. */
export function listedPackages({ npm, npmScripts }: ResolvedImage): readonly ListedPackage[] {
  const scripts = new Set(npmScripts.map(packageName));
  return npm.map((specifier) => {
    const name = packageName(specifier);
    const version = specifier === name ? undefined : specifier.slice(name.length + 1);
    return { name, version, scripts: scripts.has(name) };
  });
}

/** "@scope/name@1.2" without its version. */
export function packageName(specifier: string): string {
  const at = specifier.indexOf("@", 1);
  return at === -1 ? specifier : specifier.slice(0, at);
}

function version(
  name: string,
  value: unknown,
  shape: RegExp,
  words: readonly string[],
  wanted: string,
): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "string" && (words.includes(value) || shape.test(value))) return value;
  throw bad(`image.${name}`, wanted, value);
}

function list(name: string, value: unknown, shape: RegExp, wanted: string): readonly string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw bad(`image.${name}`, "a list of texts", value);
  for (const [index, one] of value.entries())
    if (typeof one !== "string" || !shape.test(one)) throw bad(`image.${name}[${index}]`, wanted, one);
  return Object.freeze([...(value as string[])]);
}

function indexes(value: unknown): readonly PipIndex[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw bad("image.pipIndexes", "a list of { url, packages }", value);
  return value.map((one: unknown, index) => {
    const name = `image.pipIndexes[${index}]`;
    if (typeof one !== "object" || one === null) throw bad(name, "{ url, packages }", one);
    const { url, packages, ...rest } = one as { url?: unknown; packages?: unknown };
    const [unknown] = Object.keys(rest);
    if (unknown !== undefined) throw bad(name, `{ url, packages }, without "${unknown}"`, one);
    if (typeof url !== "string" || !/^(?:https?|file):\/\/[^\s"]+$/.test(url))
      throw bad(`${name}.url`, "the address of an index", url);
    const names = list(
      `pipIndexes[${index}].packages`,
      packages,
      /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
      'a name such as "torch"',
    );
    if (names.length === 0) throw bad(`${name}.packages`, "the names of the packages that come from there", packages);
    return Object.freeze({ url, packages: names });
  });
}

function variables(name: string, value: unknown): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw bad(`image.${name}`, "an object of texts", value);
  for (const [key, one] of Object.entries(value)) {
    if (!VARIABLE.test(key)) throw bad(`a name in image.${name}`, "letters, digits and underscores", key);
    if (typeof one !== "string" || one.includes("\0")) throw bad(`image.${name}.${key}`, "a text", one);
  }
  return Object.freeze({ ...(value as Record<string, string>) });
}

function secrets(
  value: unknown,
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  const found: Record<string, string> = {};
  if (Array.isArray(value)) {
    for (const name of list("secrets", value, VARIABLE, "the name of an environment variable")) {
      const one = environment[name];
      if (one === undefined)
        throw new SkyError("SKY_BAD_OPTION", `image.secrets names ${name}, which this process has no variable of`, {
          hint: `Set ${name} before the program starts, or give { ${name}: value }.`,
        });
      found[name] = one;
    }
    return Object.freeze(found);
  }
  if (typeof value !== "object" || value === null)
    throw new SkyError("SKY_BAD_OPTION", "image.secrets must be a list of names or an object of texts");
  for (const [name, one] of Object.entries(value)) {
    // The value stays out of the error.
    if (!VARIABLE.test(name) || typeof one !== "string" || one.includes("\0"))
      throw new SkyError("SKY_BAD_OPTION", `image.secrets.${name} must be a text under a variable's name`);
    found[name] = one;
  }
  return Object.freeze(found);
}

function bad(name: string, wanted: string, value: unknown): SkyError {
  return new SkyError("SKY_BAD_OPTION", `${name} must be ${wanted}; got ${show(value)}`);
}

function show(value: unknown): string {
  return typeof value === "function" ? "a function" : (JSON.stringify(value) ?? String(value));
}
