import { existsSync } from "node:fs";
import { join } from "node:path";
import { findPackage, isPackageFile, type Manifest, packageRoot, readManifest } from "../layout.ts";
import { wholePackage } from "../packages.ts";
import type { ListedPackage } from "./listed.ts";

/** What loads or builds a native part: a package that depends on one of them is looked through for such a part. */
const HELPERS =
  /^(?:bindings|nan|node-addon-api|node-gyp|node-gyp-build(?:-optional-packages)?|(?:@mapbox\/)?node-pre-gyp|prebuild-install|pkg-prebuilds|cmake-js|@neon-rs\/load|napi-macros)$/;

/** Says that a package is compiled where it is installed. */
export const BUILT = "binding.gyp";

/** Why a package is not sent that could be. */
export const LISTED = "image.npm lists it";

/** Installed packages that are not the same on every machine: those are installed where they run. */
export class Natives {
  /** Why a package is one of them, by its folder; undefined for the others. */
  readonly #why = new Map<string, string | undefined>();
  readonly #listed: ReadonlyMap<string, ListedPackage>;

  constructor(listed: ReadonlyMap<string, ListedPackage>) {
    this.#listed = listed;
  }

  /** What the image says of an installed package. */
  listed(root: string): ListedPackage | undefined {
    return this.#listed.get(packageNameIn(root));
  }

  /** The folder of the native package that a file belongs to. */
  rootOf(file: string): string | undefined {
    if (!isPackageFile(file)) return undefined;
    const root = packageRoot(file);
    return this.why(root) === undefined ? undefined : root;
  }

  why(root: string): string | undefined {
    if (!this.#why.has(root))
      this.#why.set(root, nativePart(root) ?? (this.listed(root) === undefined ? undefined : LISTED));
    return this.#why.get(root);
  }

  /** Notes a package one of whose files has shown that it is native. Whether that is news. */
  note(root: string, file: string): boolean {
    if (this.why(root) !== undefined) return false;
    this.#why.set(root, file.slice(root.length + 1));
    return true;
  }
}

function packageNameIn(root: string): string {
  return root.slice(root.lastIndexOf("node_modules/") + "node_modules/".length);
}

/** What of a package is made for one platform: a file of it, or the name of a package that it brings. */
function nativePart(root: string): string | undefined {
  const manifest = readManifest(join(root, "package.json"));
  const brought = platformPackage(root, manifest);
  if (brought !== undefined) return brought;
  if (existsSync(join(root, "prebuilds"))) return "prebuilds";
  if (existsSync(join(root, "binding.gyp"))) return BUILT;
  if (manifest.os !== undefined || manifest.cpu !== undefined) return "made for one platform";
  return mayHold(manifest) ? nativeFile(root) : undefined;
}

function platformPackage(root: string, { optionalDependencies = {} }: Manifest): string | undefined {
  return Object.keys(optionalDependencies).find((name) => {
    const found = findPackage(name, join(root, "package.json"));
    const { os, cpu } = found === undefined ? {} : readManifest(join(found.real, "package.json"));
    return os !== undefined || cpu !== undefined;
  });
}

function mayHold({ dependencies = {}, ...manifest }: Manifest): boolean {
  const { install, postinstall } = (manifest["scripts"] ?? {}) as Readonly<Record<string, string>>;
  const hinted = "binary" in manifest || "napi" in manifest || "gypfile" in manifest || install || postinstall;
  return Boolean(hinted) || Object.keys(dependencies).some((name) => HELPERS.test(name));
}

function nativeFile(root: string): string | undefined {
  return wholePackage(root)
    .find((file) => file.endsWith(".node"))
    ?.slice(root.length + 1);
}
