import { setTimeout as delay } from "node:timers/promises";
import { SkyError } from "../errors/sky-error.ts";
import { SshConnection, type SshOptions } from "./connection.ts";

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5000;

export interface Patience {
  /** Tries at most. @default until the signal aborts */
  readonly tries?: number;
  /** After this time no other try begins. @default until the signal aborts */
  readonly withinMs?: number;
}

/**
 * Opens a connection, again and again while that may help: a refused key or an unknown host never gets
 * better, a busy or restarting sshd does. Waits with full jitter between 0.1 and 5 s.
 */
export async function openPatiently(
  options: SshOptions,
  signal: AbortSignal,
  { tries = Infinity, withinMs = Infinity }: Patience = {},
): Promise<SshConnection> {
  const began = performance.now();
  for (let attempt = 1; ; attempt++) {
    try {
      return await SshConnection.open(options, signal);
    } catch (error) {
      const over = attempt >= tries || performance.now() - began > withinMs;
      if (!(error instanceof SkyError) || !error.retryable || over) throw error;
    }
    const longest = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);
    await delay(FIRST_DELAY_MS + Math.random() * (longest - FIRST_DELAY_MS), undefined, { signal });
  }
}
