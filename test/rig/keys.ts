import ssh2 from "ssh2";

export interface KeyPair {
  readonly privateKey: string;
  /** "ssh-ed25519 AAAA..." */
  readonly publicKey: string;
}

export function newKeyPair(): Promise<KeyPair> {
  return new Promise((resolve, reject) => {
    ssh2.utils.generateKeyPair("ed25519", (error, pair) => {
      if (error) reject(error);
      else resolve({ privateKey: pair.private.trimEnd(), publicKey: pair.public.trim() });
    });
  });
}
