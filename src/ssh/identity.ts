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
  /** The account's password, tried after the keys. */
  readonly password?: string;
}

/** One way to log in. Kept apart from the user's name, so that one identity serves many hosts. */
export type Identity =
  | { readonly type: "key"; readonly key: ParsedKey; readonly from: string }
  | { readonly type: "agent"; readonly socket: string; readonly from: string }
  | { readonly type: "password"; readonly password: string; readonly from: string };

const USUAL_FILES = ["id_ed25519", "id_ecdsa", "id_rsa"];

/** What the configuration of a host adds. */
export interface IdentityPlaces {
  /** @default the usual files of `~/.ssh` */
  readonly files?: readonly string[];
  /** Of the SSH agent; "none": none. @default SSH_AUTH_SOCK */
  readonly agent?: string | undefined;
}

/**
 * Reads the private key, or finds the usual ones.
 * @throws SkyError SKY_BAD_OPTION (no such file, no key in it), SKY_SSH_AUTH (encrypted, nothing to log in with)
 */
export async function loadIdentities(
  { key, passphrase, password }: IdentityOptions,
  places: IdentityPlaces = {},
): Promise<readonly Identity[]> {
  const socket = places.agent ?? process.env["SSH_AUTH_SOCK"] ?? "";
  const agent: Identity[] =
    socket === "" || socket === "none" ? [] : [{ type: "agent", socket, from: "the SSH agent" }];
  const last: Identity[] = password === undefined ? [] : [{ type: "password", password, from: "the password" }];
  if (key !== undefined) {
    const configured = await Promise.all((places.files ?? []).map((path) => loadUsual(path, passphrase)));
    return [...(await loadGiven(key, passphrase, agent)), ...configured.flat(), ...last];
  }
  const files = places.files?.length ? places.files : USUAL_FILES.map((name) => join(homedir(), ".ssh", name));
  const found = await Promise.all(files.map((path) => loadUsual(path, passphrase)));
  const identities = [...agent, ...found.flat(), ...last];
  if (identities.length > 0) return identities;
  throw new SkyError(
    "SKY_SSH_AUTH",
    `there is nothing to log in with: no SSH agent runs, and none of ${files.join(", ")} is a key that can be read`,
    { hint: 'Give one: ssh({ hosts: [...], key: "~/.ssh/id_ed25519" }).' },
  );
}

export function authMethods(identities: readonly Identity[], username: string): AnyAuthMethod[] {
  return identities.flatMap((identity): AnyAuthMethod[] => {
    switch (identity.type) {
      case "key":
        return [{ type: "publickey", username, key: identity.key }];
      case "agent":
        return [{ type: "agent", username, agent: identity.socket }];
      case "password":
        // Some servers ask for it in a dialogue only.
        return [
          { type: "password", username, password: identity.password },
          {
            type: "keyboard-interactive",
            username,
            prompt: (_name, _instructions, _language, prompts, finish) =>
              finish(prompts.map(({ echo }) => (echo === true ? "" : identity.password))),
          },
        ];
    }
  });
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
