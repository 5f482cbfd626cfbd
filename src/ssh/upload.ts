import { randomBytes } from "node:crypto";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { SkyError } from "../errors/sky-error.ts";
import type { SshConnection } from "./connection.ts";
import { CACHE, scriptCommand, WHOLE } from "./shell.ts";

/** A file of our own for the cache of a machine, known there by its content: `<kind>-<hash>/<file>`. */
export interface CachedFile {
  readonly kind: "agent" | "node" | "uv" | "ca";
  readonly file: string;
  readonly sha256: string;
  /** Of the file as it lies there, in bytes. */
  readonly size: number;
  readonly executable: boolean;
  /** What it is known by there, when that is not its own hash. */
  readonly key?: string;
}

export interface UploadSource {
  readonly open: () => Readable;
  /** What turns the bytes sent into the file. @default "cat" */
  readonly unpack?: string;
}

/** Where a cached file lies, as a shell word. */
export function cachePath({ kind, sha256, key, file }: Pick<CachedFile, "kind" | "sha256" | "key" | "file">): string {
  return `${CACHE}/${kind}-${(key ?? sha256).slice(0, 16)}/${file}`;
}

/**
 * Puts a file into the machine's cache, whole or not at all.
 * @throws SkyError SKY_AGENT_FAILED with what the machine said
 */
export async function upload(connection: SshConnection, target: CachedFile, source: UploadSource): Promise<void> {
  const script = uploadScript(target, source.unpack ?? "cat");
  const channel = await connection.exec(scriptCommand(script));
  let said = "";
  channel.on("data", (chunk: Buffer) => (said += chunk.toString()));
  channel.stderr.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4096)));
  const exit = new Promise<number | null>((resolve) => {
    let code: number | null = null;
    channel.once("exit", (value: number | null) => (code = value)).once("close", () => resolve(code));
    void connection.closed.then(() => resolve(null));
  });
  channel.write(script);
  // A machine that gives up early breaks the pipe; its own words are the better reason.
  const sent = await pipeline(source.open(), channel).then(
    () => undefined,
    (error: Error) => error,
  );
  const code = await exit;
  if (code === 0) return;
  const reason = said.trim() || sent?.message || (code === null ? "the connection ended" : `exit code ${code}`);
  throw new SkyError("SKY_AGENT_FAILED", `${connection.name}: ${target.file} could not be stored there: ${reason}`, {
    cause: sent,
    hint: "Its place is ~/.cache/skyward: there must be room, and this user must be able to write there; XDG_CACHE_HOME, set for logins on the machine, names another.",
    retryable: code === null,
    details: { host: connection.name },
  });
}

function uploadScript(target: CachedFile, unpack: string): string {
  const path = cachePath(target);
  return `${WHOLE}
umask 077
path=${path}
mkdir -p "\${path%/*}" || exit 1
# Machines that share a home may have the same process numbers.
part="$path.$$.${randomBytes(4).toString("hex")}"
trap 'rm -f "$part"' EXIT
trap 'exit 1' HUP INT TERM PIPE
${unpack} > "$part" || exit 1
skyward_whole "$part" ${target.sha256} ${target.size} || { echo "what arrived is not what was sent" >&2; exit 1; }
chmod ${target.executable ? 700 : 600} "$part" && mv -f "$part" "$path" || exit 1
exit 0
`;
}
