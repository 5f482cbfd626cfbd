import { generateKeyPair, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import type { Identity } from "./identity.ts";
import { loadSsh2 } from "./load.ts";

/** An Ed25519 key in OpenSSH's formats. */
export interface KeyPair {
  readonly privateKey: string;
  /** "ssh-ed25519 AAAA..." */
  readonly publicKey: string;
}

const TYPE = "ssh-ed25519";
const BLOCK_BYTES = 8;
const LINE = /.{1,70}/g;

/** Written here since the SSH library's own generator makes one key in a few hundred that nobody can read. */
export async function newKeyPair(): Promise<KeyPair> {
  const pair = await promisify(generateKeyPair)("ed25519");
  const { x, d } = pair.privateKey.export({ format: "jwk" });
  const [publicBytes, seed] = [x, d].map((part) => Buffer.from(part!, "base64url")) as [Buffer, Buffer];
  const publicBlob = Buffer.concat([text(TYPE), text(publicBytes)]);
  const check = randomBytes(4);
  const secret = Buffer.concat([check, check, publicBlob, text(Buffer.concat([seed, publicBytes])), text("")]);
  const padding = Buffer.from(Array.from({ length: -secret.length & (BLOCK_BYTES - 1) }, (_, index) => index + 1));
  const whole = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    ...["none", "none", ""].map(text),
    Buffer.from([0, 0, 0, 1]),
    text(publicBlob),
    text(Buffer.concat([secret, padding])),
  ]);
  const lines = whole.toString("base64").match(LINE)!;
  return {
    privateKey: ["-----BEGIN OPENSSH PRIVATE KEY-----", ...lines, "-----END OPENSSH PRIVATE KEY-----", ""].join("\n"),
    publicKey: `${TYPE} ${publicBlob.toString("base64")}`,
  };
}

/** The key as a way to log in, without a file. */
export async function identityOf({ privateKey }: KeyPair): Promise<Identity> {
  const { utils } = await loadSsh2();
  const key = utils.parseKey(privateKey);
  if (key instanceof Error) throw key;
  return { type: "key", key, from: "the pool's own key" };
}

/** A string of the SSH protocol. */
function text(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
