import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { AnyAuthMethod, BaseAgent, ParsedKey } from "ssh2";
import { SkyError } from "../errors/sky-error.ts";
import { agentKeys } from "./agent-keys.ts";
import { loadSsh2 } from "./load.ts";

/** How a user proves who they are. */
export interface IdentityOptions {
  /** A private key: the path of its file, its text or its bytes. @default the SSH agent, then the usual files of `~/.ssh` */
  readonly key?: string | Uint8Array;
  /** Of an encrypted key. */
  readonly passphrase?: string;
  /** The account's password, tried after the keys; `sudo` is told it too where it asks. */
  readonly password?: string;
}

/** One way to log in. Kept apart from the user's name, so that one identity serves many hosts. */
export type Identity =
  | { readonly type: "key"; readonly key: ParsedKey; readonly from: string }
  | { readonly type: "agent"; readonly agent: BaseAgent; readonly from: string }
  | { readonly type: "password"; readonly password: string; readonly from: string }
  /** What could not be used, for the message. */
  | { readonly type: "unusable"; readonly from: string };

const USUAL_FILES = ["id_ed25519", "id_ecdsa", "id_rsa"];

/** What the configuration of a host adds. */
export interface IdentityPlaces {
  /** @default the usual files of `~/.ssh` */
  readonly files?: readonly string[];
  /** Of the SSH agent; "none": none. @default SSH_AUTH_SOCK */
  readonly agent?: string | undefined;
  /** Whether no other keys of the agent are offered than those of the files. @default false */
  readonly only?: boolean;
}

/** What is known of a key's file. */
interface KeyFile {
  readonly from: string;
  readonly key?: ParsedKey;
  /** Its public half, as it goes over the wire: how an agent knows it. */
  readonly publicKey?: Buffer;
  /** Why it can't be used by itself; undefined where there is no such file. */
  readonly problem?: string;
}

/**
 * Reads the private key, or finds the usual ones. Keys that were named come before the others of an agent.
 * @throws SkyError SKY_BAD_OPTION (no such file, no key in it), SKY_SSH_AUTH (encrypted, nothing to log in with)
 */
export async function loadIdentities(
  { key, passphrase, password }: IdentityOptions,
  places: IdentityPlaces = {},
): Promise<readonly Identity[]> {
  const socket = places.agent ?? process.env["SSH_AUTH_SOCK"] ?? "";
  const agent = socket === "none" ? "" : socket;
  const named = places.files?.length ? places.files : undefined;
  const usual = key === undefined ? USUAL_FILES.map((name) => join(homedir(), ".ssh", name)) : [];
  const paths = named ?? usual;
  const files = await Promise.all(paths.map((path) => readUsual(path, passphrase)));
  const given = key === undefined ? [] : [await readGiven(key, passphrase, agent !== "")];
  const chosen = [...given, ...(named ? files : [])];
  const only = chosen.flatMap(({ publicKey }) => publicKey ?? []);
  const opened = (of: readonly KeyFile[]): Identity[] => of.flatMap((one) => identityOf(one, agent !== "") ?? []);
  const identities: Identity[] = [
    ...opened(given),
    ...(agent !== "" && only.length > 0 ? [await fromAgent(agent, only)] : []),
    ...(named ? opened(files) : []),
    ...(agent !== "" && !places.only && given.every((one) => one.key === undefined && one.publicKey === undefined)
      ? [await fromAgent(agent, undefined, only)]
      : []),
    ...(named ? [] : opened(files)),
    ...(password === undefined ? [] : [{ type: "password", password, from: "the password" } as const]),
  ];
  if (identities.some(({ type }) => type !== "unusable")) return identities;
  const found = identities.length === 0 ? `none of ${paths.join(", ")} is a key that can be read` : whatOf(identities);
  const about = agent === "" ? "no SSH agent runs" : "the SSH agent may not offer others";
  throw new SkyError("SKY_SSH_AUTH", `there is nothing to log in with: ${about}, and ${found}`, {
    hint: 'Give one: ssh({ hosts: [...], key: "~/.ssh/id_ed25519" }), with its passphrase, or add it to the agent: ssh-add.',
  });
}

/** All that was tried, for a message. */
export function whatOf(identities: readonly Identity[]): string {
  return identities.map(({ from }) => from).join(", ");
}

export function authMethods(identities: readonly Identity[], username: string): AnyAuthMethod[] {
  return identities.flatMap((identity): AnyAuthMethod[] => {
    switch (identity.type) {
      case "key":
        return [{ type: "publickey", username, key: identity.key }];
      case "agent":
        return [{ type: "agent", username, agent: identity.agent }];
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
      case "unusable":
        return [];
    }
  });
}

async function fromAgent(socket: string, only?: readonly Buffer[], except?: readonly Buffer[]): Promise<Identity> {
  const choice = { ...(only && { only }), ...(except && { except }) };
  return { type: "agent", agent: await agentKeys(socket, choice), from: "the SSH agent" };
}

function identityOf({ from, key, publicKey, problem }: KeyFile, hasAgent: boolean): Identity | undefined {
  if (key !== undefined) return { type: "key", key, from };
  // The agent is asked for it.
  if (problem === undefined || (hasAgent && publicKey !== undefined)) return undefined;
  return { type: "unusable", from: `${from} (${problem})` };
}

async function readGiven(
  key: string | Uint8Array,
  passphrase: string | undefined,
  hasAgent: boolean,
): Promise<KeyFile> {
  // The text of a key must not get into a message, as a path does.
  const path = typeof key === "string" && !key.includes("-----BEGIN") ? homeOf(key) : undefined;
  const from = path ?? "the given key";
  let bytes: Buffer;
  try {
    if (path !== undefined) bytes = await readFile(path);
    else bytes = typeof key === "string" ? Buffer.from(key) : Buffer.from(key);
  } catch (cause) {
    throw new SkyError("SKY_BAD_OPTION", `key: ${from} can't be read`, { cause });
  }
  const file = await keyFile(from, bytes, passphrase, path);
  if (file.key !== undefined) return file;
  // The agent may hold this very key, opened.
  if (hasAgent && passphrase === undefined && (file.publicKey !== undefined || file.problem === ENCRYPTED)) return file;
  if (file.problem === ENCRYPTED || file.problem === WRONG_PASSPHRASE)
    throw new SkyError("SKY_SSH_AUTH", `key: ${from} ${file.problem}`, {
      hint: "Give its passphrase, or add it to the agent: ssh-add.",
    });
  throw new SkyError("SKY_BAD_OPTION", `key: ${from} is no private key: ${file.problem ?? "it is empty"}`);
}

async function readUsual(path: string, passphrase: string | undefined): Promise<KeyFile> {
  const bytes = await readFile(path).catch(() => undefined);
  if (bytes !== undefined) return keyFile(path, bytes, passphrase, path);
  // Of a key that is in the agent only the public half may lie here.
  const publicKey = await publicBeside(path);
  return { from: path, ...(publicKey && { publicKey }) };
}

const ENCRYPTED = "is encrypted, and no passphrase was given";
const WRONG_PASSPHRASE = "does not open with the passphrase";

async function keyFile(
  from: string,
  bytes: Buffer,
  passphrase: string | undefined,
  path: string | undefined,
): Promise<KeyFile> {
  const { utils } = await loadSsh2();
  const parsed = utils.parseKey(bytes, passphrase);
  const first = Array.isArray(parsed) ? parsed[0]! : parsed;
  if (first instanceof Error) {
    const publicKey = path === undefined ? undefined : await publicBeside(path);
    const closed = passphrase === undefined ? ENCRYPTED : WRONG_PASSPHRASE;
    const problem = /passphrase|encrypted|integrity check failed|bad decrypt/i.test(first.message)
      ? closed
      : first.message;
    return { from, problem, ...(publicKey && { publicKey }) };
  }
  const publicKey = first.getPublicSSH();
  return first.isPrivateKey() ? { from, key: first, publicKey } : { from, publicKey, problem: "it is a public key" };
}

async function publicBeside(path: string): Promise<Buffer | undefined> {
  const bytes = await readFile(`${path}.pub`).catch(() => undefined);
  if (bytes === undefined) return undefined;
  const { utils } = await loadSsh2();
  const parsed = utils.parseKey(bytes);
  return parsed instanceof Error ? undefined : parsed.getPublicSSH();
}

function homeOf(path: string): string {
  return path.replace(/^~(?=\/)/, homedir());
}
