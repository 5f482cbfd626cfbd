import type { EventEmitter } from "node:events";
import type { Readable } from "node:stream";
import type { ProcessIdentity } from "../agent/config.ts";
import { Lines } from "../agent/lines.ts";
import { Tail } from "../agent/tail.ts";
import { ERROR_CODES } from "../errors/codes.ts";
import { SkyError } from "../errors/sky-error.ts";

const LINE_MAX_BYTES = 64 * 1024;

export interface ReadySource {
  readonly output: Readable;
  readonly stderr: Tail;
  /** Emits "close" when no more can come, "error" when the program can't be started at all. */
  readonly ended: EventEmitter;
  readonly name: string;
  readonly signal: AbortSignal;
  /** Takes lines that are not the agent's answer; those that it does not know are shown if none comes. */
  readonly line?: (line: string) => boolean;
}

/**
 * Waits for the line with which a supervisor says that it listens.
 * @throws SkyError what the supervisor said, or SKY_AGENT_FAILED with its last lines
 */
export function awaitReady({ output, stderr, ended, name, signal, line }: ReadySource): Promise<ProcessIdentity> {
  return new Promise((resolve, reject) => {
    const lines = new Lines(LINE_MAX_BYTES);
    const printed = new Tail();
    const settle = (act: () => void): void => {
      output.off("data", read);
      ended.off("close", closed).off("error", failed);
      signal.removeEventListener("abort", abort);
      output.resume();
      act();
    };
    const fail = (what: string, cause?: unknown): void => {
      const words = stderr.toString().trim() || printed.toString().trim();
      const message = `the agent of ${name} ${what}${words === "" ? "" : `:\n${words}`}`;
      settle(() => reject(new SkyError("SKY_AGENT_FAILED", message, { cause, details: { machine: name } })));
    };
    const read = (chunk: Buffer): void => {
      const whole = lines.push(chunk);
      if (whole === undefined) return fail("printed an endless line");
      for (const one of whole) {
        const answer = parseReady(one);
        if (answer === undefined) {
          if (line?.(one) !== true) printed.push(Buffer.from(`${one}\n`));
        } else if (answer.ready === true)
          return settle(() => resolve({ pid: answer.pid, startTime: answer.startTime }));
        else return settle(() => reject(refused(name, answer)));
      }
    };
    const closed = (): void => fail("ended before it was ready");
    const failed = (cause: unknown): void => fail(`can't be started: ${String(cause)}`, cause);
    const abort = (): void => settle(() => reject(signal.reason as Error));
    signal.addEventListener("abort", abort, { once: true });
    output.on("data", read);
    ended.once("close", closed).once("error", failed);
  });
}

type Answer = { ready: true; pid: number; startTime: string } | { ready: false; code: string; error: string };

function parseReady(line: string): Answer | undefined {
  if (!line.startsWith('{"ready":')) return undefined;
  try {
    return JSON.parse(line) as Answer;
  } catch {
    return undefined;
  }
}

function refused(name: string, { code, error }: Extract<Answer, { ready: false }>): SkyError {
  const known = ERROR_CODES.find((one) => one === code) ?? "SKY_AGENT_FAILED";
  return new SkyError(known, `the agent of ${name} did not start: ${error}`, { details: { machine: name } });
}
