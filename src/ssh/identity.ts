import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { AnyAuthMethod, ParsedKey } from "ssh2";
import { SkyError } from "../errors/sky-error.ts";
import { loadSsh2 } from "./load.ts";

/** How a user proves who they are. */
export interface IdentityOptions {
  /** A private key: the path of its file, or its bytes. @default the SSH agent, then the usual files of `~/.ssh` */
  readonly key?: string | Uint8Array;
  /** Of an encrypted key. */
  readonly passphrase?: string;
}

/** One way to log in. Kept apart from the user's name, so that one identity serves many hosts. */
export type Identity =
  | { readonly type: "key"; readonly key: ParsedKey; readonly from: string }
  | { readonly type: "agent"; readonly socket: string; readonly from: string };

const USUAL_FILES = ["id_ed25519", "id_ecdsa", "id_rsa"];

/**
 * Reads the private key, or finds the usual ones.
 * @throws SkyError SKY_BAD_OPTION (no such file, no key in it), SKY_SSH_AUTH (encrypted, nothing to log in with)
 */
export async function loadIdentities({ key, passphrase }: IdentityOptions): Promise<readonly Identity[]> {
  const socket = process.env["SSH_AUTH_SOCK"];
  const agent: Identity[] =
    socket === undefined || socket === "" ? [] : [{ type: "agent", socket, from: "the SSH agent" }];
  if (key !== undefined) return loadGiven(key, passphrase, agent);
  const found = await Promise.all(USUAL_FILES.map((name) => loadUsual(join(homedir(), ".ssh", name), passphrase)));
  const identities = [...agent, ...found.flat()];
  if (identities.length > 0) return identities;
  throw new SkyError(
    "SKY_SSH_AUTH",
    "there is no SSH key to log in with: no agent runs, and ~/.ssh has none that can be read",
    {
      hint: 'Give one: ssh({ hosts: [...], key: "~/.ssh/id_ed25519" }).',
    },
  );
}

export function authMethods(identities: readonly Identity[], username: string): AnyAuthMethod[] {
  return identities.map((identity) =>
    identity.type === "key"
      ? { type: "publickey", username, key: identity.key }
      : { type: "agent", username, agent: identity.socket },
  );
}

async function loadGiven(
  key: string | Uint8Array,
  passphrase: string | undefined,
  agent: Identity[],
): Promise<Identity[]> {
  const from = typeof key === "string" ? key.replace(/^~(?=\/)/, homedir()) : "the given key";
  let bytes: Buffer;
  try {
    bytes = typeof key === "string" ? await readFile(from) : Buffer.from(key);
  } catch (cause) {
    throw new SkyError("SKY_BAD_OPTION", `key: ${from} can't be read`, { cause });
  }
  const parsed = await parse(bytes, passphrase);
  if (!(parsed instanceof Error)) return [{ type: "key", key: parsed, from }];
  if (!isEncrypted(parsed)) throw new SkyError("SKY_BAD_OPTION", `key: ${from} is no private key: ${parsed.message}`);
  // The agent may hold this very key, opened.
  if (passphrase === undefined && agent.length > 0) return agent;
  const message =
    passphrase === undefined ? "is encrypted, and no passphrase was given" : "does not open with the passphrase";
  throw new SkyError("SKY_SSH_AUTH", `key: ${from} ${message}`, {
    hint: "Give its passphrase, or add it to the agent: ssh-add.",
  });
}

async function loadUsual(path: string, passphrase: string | undefined): Promise<Identity[]> {
  const bytes = await readFile(path).catch(() => undefined);
  const parsed = bytes === undefined ? undefined : await parse(bytes, passphrase);
  return parsed === undefined || parsed instanceof Error ? [] : [{ type: "key", key: parsed, from: path }];
}

async function parse(bytes: Buffer, passphrase: string | undefined): Promise<ParsedKey | Error> {
  const { utils } = await loadSsh2();
  const parsed = utils.parseKey(bytes, passphrase);
  const first = Array.isArray(parsed) ? parsed[0]! : parsed;
  return first instanceof Error || first.isPrivateKey() ? first : new Error("it is a public key");
}

function isEncrypted(error: Error): boolean {
  return /passphrase|encrypted|integrity check failed|bad decrypt/i.test(error.message);
}
