import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sourcesBelow } from "./sources.ts";

/** The one place that opens SSH connections. */
const CONNECTION = "ssh/connection.ts";
const OPENS = /new Client\(|hostVerifier|hostHash/;
/** OpenSSH's words for not looking. */
const UNCHECKED = /StrictHostKeyChecking|UserKnownHostsFile\s*=|GlobalKnownHostsFile/i;

/** Ways by which a host's key could go unchecked: a connection opened elsewhere, or without a verifier, or an option for it. */
export function hostKeyFaults(root: string): string[] {
  const source = join(root, "src");
  return sourcesBelow(source).flatMap((file) => {
    const text = readFileSync(join(source, file), "utf8");
    const faults: string[] = [];
    if (UNCHECKED.test(text)) faults.push(`src/${file}: only KnownHosts says which host keys are trusted`);
    if (file !== CONNECTION && OPENS.test(text))
      faults.push(`src/${file}: SSH connections are opened by ${CONNECTION}`);
    if (file === CONNECTION && countOf(text, /\.connect\(/g) !== countOf(text, /hostVerifier: \(key/g))
      faults.push(`src/${file}: a connection without a verifier of the host's key`);
    return faults;
  });
}

function countOf(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
