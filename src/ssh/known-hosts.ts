import { createHash, createHmac } from "node:crypto";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { SkyError } from "../errors/sky-error.ts";

interface KnownHostLine {
  readonly hosts: string;
  readonly type: string;
  readonly key: Buffer;
  readonly revoked: boolean;
}

export type HostKeyVerdict =
  | { readonly state: "known" }
  | { readonly state: "unknown" }
  | { readonly state: "revoked" }
  /** Other keys are on file for this host. */
  | { readonly state: "changed"; readonly expected: readonly string[] };

/** The host keys that this user trusts, as OpenSSH keeps them: plain and hashed names, patterns, `@revoked`. */
export class KnownHosts {
  readonly files: readonly string[];
  readonly #lines: readonly KnownHostLine[];

  constructor(text: string, files: readonly string[]) {
    this.files = files;
    this.#lines = text.split(/\r?\n/).flatMap((line) => parseLine(line) ?? []);
  }

  /**
   * @param file a file that must be there. @default the user's and the system's files, as far as they are
   * @throws SkyError SKY_BAD_OPTION
   */
  static async read(file?: string): Promise<KnownHosts> {
    if (file === undefined) {
      return KnownHosts.readAll([join(homedir(), ".ssh/known_hosts"), "/etc/ssh/ssh_known_hosts"]);
    }
    const path = file.replace(/^~(?=\/)/, homedir());
    try {
      return new KnownHosts(await readFile(path, "utf8"), [path]);
    } catch (cause) {
      throw new SkyError("SKY_BAD_OPTION", `knownHosts: ${path} can't be read`, { cause });
    }
  }

  /** Files of which some may not be there. */
  static async readAll(files: readonly string[]): Promise<KnownHosts> {
    const texts = await Promise.all(files.map((one) => readFile(one, "utf8").catch(() => "")));
    return new KnownHosts(texts.join("\n"), files);
  }

  /** Types of the keys on file for a host: to be negotiated first, else a good host shows a key we don't know. */
  typesFor(host: string, port: number): string[] {
    return [...new Set(this.#of(host, port).flatMap((line) => (line.revoked ? [] : line.type)))];
  }

  check(host: string, port: number, key: Buffer): HostKeyVerdict {
    const lines = this.#of(host, port);
    const same = lines.filter((line) => line.key.equals(key));
    if (same.some((line) => line.revoked)) return { state: "revoked" };
    if (same.length > 0) return { state: "known" };
    const expected = lines.filter((line) => !line.revoked).map((line) => `${line.type} ${fingerprint(line.key)}`);
    return expected.length === 0 ? { state: "unknown" } : { state: "changed", expected };
  }

  #of(host: string, port: number): KnownHostLine[] {
    const name = hostName(host, port);
    return this.#lines.filter((line) => matches(line.hosts, name));
  }
}

/** The text of a known_hosts file without the lines for a host: its name as `hostName` gives it. */
export function forget(text: string, name: string): string {
  const stays = (line: string): boolean => {
    const parsed = parseLine(line);
    return parsed === undefined || parsed.revoked || !matches(parsed.hosts, name);
  };
  return text
    .split(/(?<=\n)/)
    .filter(stays)
    .join("");
}

/** As in known_hosts: "host", or "[host]:port" when the port is not 22. */
export function hostName(host: string, port: number): string {
  const lower = host.toLowerCase();
  return port === 22 ? lower : `[${lower}]:${port}`;
}

/** As OpenSSH prints it: "SHA256:..." */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}

/** The algorithm that a key's own bytes begin with. */
export function keyType(key: Buffer): string {
  const length = key.length < 4 ? 0 : key.readUInt32BE(0);
  return key.toString("latin1", 4, Math.min(4 + length, key.length));
}

function parseLine(line: string): KnownHostLine | undefined {
  const fields = line.trim().split(/\s+/);
  if (fields[0] === "" || fields[0]!.startsWith("#")) return undefined;
  const marker = fields[0]!.startsWith("@") ? fields.shift() : undefined;
  const [hosts, type, base64] = fields;
  // Certificates of authorities (@cert-authority) are not understood, so such a host stays unknown.
  if (base64 === undefined || (marker !== undefined && marker !== "@revoked")) return undefined;
  const key = Buffer.from(base64, "base64");
  return { hosts: hosts!, type: type!, key, revoked: marker === "@revoked" && keyType(key) === type };
}

function matches(patterns: string, name: string): boolean {
  if (patterns.startsWith("|1|")) {
    const [, , salt = "", hash = ""] = patterns.split("|");
    return createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest("base64") === hash;
  }
  let found = false;
  for (const pattern of patterns.split(",")) {
    const negated = pattern.startsWith("!");
    if (!globMatches(negated ? pattern.slice(1) : pattern, name)) continue;
    if (negated) return false;
    found = true;
  }
  return found;
}

function globMatches(pattern: string, name: string): boolean {
  const escaped = pattern.toLowerCase().replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`).test(name);
}
