import type { FilesRequest } from "../../agent/files-request.ts";
import { SkyError } from "../../errors/sky-error.ts";
import type { MachineProcess } from "../../providers/provider.ts";
import { type Channel, channelOf } from "../../wire/files/transfer.ts";
import type { Place } from "./exec.ts";

/** Has the agent's program of a node do one thing. @throws SkyError SKY_FILES_FAILED, the signal's reason */
export async function askFiles<T>(
  { node, machine }: Pick<Place, "node" | "machine">,
  request: FilesRequest,
  signal: AbortSignal | undefined,
  talk: (channel: Channel) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const running: MachineProcess = await machine.spawn({ agent: ["files"] }, signal ?? new AbortController().signal);
  let abort = (): void => undefined;
  // A session that was closed tells its end only when the other side has: nobody waits for that.
  const aborted = new Promise<never>((_, reject) => (abort = () => reject(signal?.reason as Error)));
  aborted.catch(() => undefined);
  signal?.addEventListener("abort", abort, { once: true });
  running.stdin.on("error", () => undefined);
  let said = "";
  running.stderr.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-1024)));
  try {
    running.stdin.write(`${JSON.stringify(request)}\n`);
    const talked = talk(channelOf(running.stdout, running.stdin));
    talked.catch(() => undefined);
    return await Promise.race([talked, aborted]);
  } catch (cause) {
    signal?.throwIfAborted();
    const words = said.trim() || (cause as Error).message;
    throw new SkyError("SKY_FILES_FAILED", `${request.op} ${request.path} on node ${node}: ${words}`, {
      cause,
      details: { node, path: request.path },
      // A copy that was cut goes on where it was.
      retryable: /the other side ended/.test((cause as Error).message),
    });
  } finally {
    signal?.removeEventListener("abort", abort);
    running.stdin.end();
    running.kill();
  }
}
