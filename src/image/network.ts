import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { isLoopbackProxy } from "../function/artifact/native/loopback-proxy.ts";

/** Certificates of authorities, as a file for the cache of a machine. */
export interface ExtraCa {
  readonly kind: "ca";
  readonly file: "ca.pem";
  readonly executable: false;
  readonly sha256: string;
  /** In bytes. */
  readonly size: number;
  /** Where it lies here. */
  readonly path: string;
}

const PROXIES = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"];

/** How this program reaches the internet, for machines that are to do the same: under both spellings of each name. */
export function proxiesOf(env: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of PROXIES) {
    const value = env[name] ?? env[name.toLowerCase()];
    if (value === undefined || value === "" || (name !== "NO_PROXY" && isLoopbackProxy(value))) continue;
    found[name] = found[name.toLowerCase()] = value;
  }
  // Without a proxy there is nothing to go past.
  return Object.keys(found).some((name) => name.toUpperCase() !== "NO_PROXY") ? found : {};
}

const known = new Map<string, ExtraCa | undefined>();

/** The authorities that this program trusts on top of the usual ones: NODE_EXTRA_CA_CERTS. */
export function extraCaOf(env: Readonly<Record<string, string | undefined>>): ExtraCa | undefined {
  const path = env["NODE_EXTRA_CA_CERTS"];
  if (path === undefined || path === "") return undefined;
  if (!known.has(path)) known.set(path, read(path));
  return known.get(path);
}

function read(path: string): ExtraCa | undefined {
  if (!existsSync(path)) return undefined;
  const bytes = readFileSync(path);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { kind: "ca", file: "ca.pem", executable: false, sha256, size: bytes.length, path };
}
