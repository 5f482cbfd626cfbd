import { createHash } from "node:crypto";

const blobs = new Map<string, Uint8Array>();

/** The content with this hash, as it is sent. Undefined for a hash that no artifact of this process has. */
export function blob(hash: string): Uint8Array | undefined {
  return blobs.get(hash);
}

/** Keeps a content, and gives its sha256 in hex. */
export function keep(content: Uint8Array): string {
  const hash = hashOf(content);
  if (!blobs.has(hash)) blobs.set(hash, content);
  return hash;
}

export function hashOf(content: Uint8Array | string): string {
  return createHash("sha256").update(content).digest("hex");
}
