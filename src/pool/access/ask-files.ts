import type { FilesRequest } from "../../agent/files-request.ts";
import { SkyError } from "../../errors/sky-error.ts";
import type { MachineProcess } from "../../providers/provider.ts";
import { type Channel, channelOf } from "../../wire/files/transfer.ts";
import type { Place } from "./exec.ts";

const ENDED = /the other side ended/;
const VERBS = { ls: "ls of", rm: "rm of", receive: "upload to", sync: "sync to", send: "download of" } as const;

/** Has the agent's program of a node do one thing. @throws SkyError SKY_FILES_FAILED, SKY_POOL_CLOSED, the signal's reason */
export async function askFiles<T>(
  { node, machine, closed }: Pick<Place, "node" | "machine"> & Partial<Pick<Place, "closed">>,
  request: FilesRequest,
  given: AbortSignal | undefined,
  talk: (channel: Channel) => Promise<T>,
): Promise<T> {
  const signal = AbortSignal.any([given, closed].filter((one) => one !== undefined));
  signal.throwIfAborted();
  const running: MachineProcess = await machine.spawn({ agent: ["files"] }, signal);
  let abort = (): void => undefined;
  // A session that was closed tells its end only when the other side has: nobody waits for that.
  const aborted = new Promise<never>((_, reject) => (abort = () => reject(signal.reason as Error)));
  aborted.catch(() => undefined);
  signal.addEventListener("abort", abort, { once: true });
  running.stdin.on("error", () => undefined);
  let said = "";
  running.stderr.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-1024)));
  try {
    running.stdin.write(`${JSON.stringify(request)}\n`);
    const talked = talk(channelOf(running.stdout, running.stdin));
    talked.catch(() => undefined);
    return await Promise.race([talked, aborted]);
  } catch (error) {
    signal.throwIfAborted();
    const cause = error as NodeJS.ErrnoException;
    const what = `${VERBS[request.op]} ${request.path} on node ${node}`;
    // What the node says of itself comes as plain words.
    const here = cause.syscall === undefined ? "" : " (on this computer)";
    const ended = ENDED.test(cause.message);
    const words = ended && said.trim() !== "" ? `${cause.message}: ${said.trim()}` : cause.message;
    throw new SkyError("SKY_FILES_FAILED", `${what}: ${words}${here}`, {
      cause,
      details: { node, path: request.path },
      // A copy that was cut goes on where it was.
      retryable: ended,
      ...(words.includes("EISDIR") && request.op === "rm" && { hint: "A folder is removed with { recursive: true }." }),
    });
  } finally {
    signal.removeEventListener("abort", abort);
    running.stdin.end();
    running.kill();
  }
}
