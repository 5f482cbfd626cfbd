import type { Identity } from "./identity.ts";
import { loadSsh2 } from "./load.ts";

/** An Ed25519 key in OpenSSH's formats. */
export interface KeyPair {
  readonly privateKey: string;
  /** "ssh-ed25519 AAAA..." */
  readonly publicKey: string;
}

export async function newKeyPair(): Promise<KeyPair> {
  const { utils } = await loadSsh2();
  return new Promise((resolve, reject) => {
    utils.generateKeyPair("ed25519", (error, pair) => {
      if (error) reject(error);
      else resolve({ privateKey: `${pair.private.trim()}\n`, publicKey: pair.public.trim() });
    });
  });
}

/** The key as a way to log in, without a file. */
export async function identityOf({ privateKey }: KeyPair): Promise<Identity> {
  const { utils } = await loadSsh2();
  const key = utils.parseKey(privateKey);
  if (key instanceof Error) throw key;
  return { type: "key", key, from: "the pool's own key" };
}
