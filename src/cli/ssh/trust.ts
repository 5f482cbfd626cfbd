import type { CommandContext } from "@stricli/core";
import { appendFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { createInterface } from "node:readline/promises";
import { SkyError } from "../../errors/sky-error.ts";
import { SshConnection, type SshOptions } from "../../ssh/connection.ts";
import { forget, KnownHosts } from "../../ssh/known-hosts.ts";
import { telling } from "../pools/fail.ts";
import type { TrustFlags } from "./commands.ts";
import { wayTo } from "./way-to.ts";

/** What a host shows that is not trusted. */
interface Shown {
  readonly line: string;
  readonly keyType: string;
  readonly fingerprint: string;
  readonly host: string;
  /** Keys that are on file for it. */
  readonly expected?: readonly string[];
}

export async function trustCommand(this: CommandContext, flags: TrustFlags, host: string): Promise<void> {
  await telling("ssh trust", async () => {
    if (flags.knownHosts !== undefined) await appendFile(flags.knownHosts, "");
    const way = await wayTo(host, flags, false);
    const shown = await refusedKey(way);
    if (shown === undefined) return void this.process.stdout.write(`The key of ${host} is trusted already.\n`);
    const { line, keyType, fingerprint, expected } = shown;
    const file = way.knownHosts.files[0]!;
    if (expected !== undefined) this.process.stdout.write(`${file} expects ${expected.join(" or ")}\n`);
    this.process.stdout.write(`${shown.host} shows  ${keyType} ${fingerprint}\n`);
    if (!flags.yes && !(await agrees(file))) throw new SkyError("SKY_SSH_HOST_UNKNOWN", `${host} stays untrusted`);
    await accept(file, line, expected === undefined ? undefined : shown.host);
    const still = await refusedKey({ ...way, knownHosts: await KnownHosts.readAll(way.knownHosts.files) });
    if (still !== undefined)
      throw new SkyError(
        "SKY_SSH_HOST_KEY",
        `another file than ${file} still expects another key: ${way.knownHosts.files.slice(1).join(", ")}`,
      );
    this.process.stdout.write(`Added to ${file}.\n`);
  });
}

/** The key that a connection is refused for; undefined where it is trusted. Nothing is sent over such a connection. */
async function refusedKey(way: SshOptions): Promise<Shown | undefined> {
  try {
    const connection = await SshConnection.open(way, AbortSignal.timeout(30_000));
    connection.close();
  } catch (error) {
    if (!(error instanceof SkyError)) throw error;
    // Nobody gets to log in before the key is verified.
    if (error.code === "SKY_SSH_AUTH") return undefined;
    if ("line" in error.details) return error.details as unknown as Shown;
    throw error;
  }
  return undefined;
}

async function accept(file: string, line: string, replaced: string | undefined): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const before = await readFile(file, "utf8").catch(() => "");
  const kept = replaced === undefined ? before : forget(before, replaced);
  if (kept !== before) await writeFile(`${file}.old`, before, { mode: 0o600 });
  await writeFile(file, `${kept}${kept === "" || kept.endsWith("\n") ? "" : "\n"}${line}\n`, { mode: 0o600 });
}

async function agrees(file: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new SkyError("SKY_BAD_CALL", "there is no terminal to ask on", {
      hint: "Compare the fingerprint with the machine's own (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub there), then add --yes.",
    });
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(?:es)?$/i.test(
      (await terminal.question(`Is that the machine's own, and should ${file} have it? [y/N] `)).trim(),
    );
  } finally {
    terminal.close();
  }
}
