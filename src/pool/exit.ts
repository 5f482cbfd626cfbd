import { watchCtrlC } from "./ctrl-c-watch.ts";

/** What has to be closed before this process may end. */
export interface Closable {
  close(reason?: string): Promise<void>;
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const open = new Set<Closable>();
let closing = false;
let heard: () => void = () => undefined;

/**
 * Keeps watch over signals while pools are open: the first closes them and then has its usual effect, a second one has
 * it at once. Listeners of the program's own still run, and keep the say over whether the process ends.
 */
export function guard(pool: Closable): () => void {
  if (open.size === 0) {
    for (const signal of SIGNALS) process.on(signal, onSignal);
    heard = watchCtrlC();
  }
  open.add(pool);
  return () => {
    open.delete(pool);
    if (open.size > 0) return;
    for (const signal of SIGNALS) process.off(signal, onSignal);
    heard();
  };
}

function onSignal(signal: NodeJS.Signals): void {
  heard();
  const alone = process.listenerCount(signal) === 1;
  if (closing) {
    if (alone) die(signal);
    return;
  }
  closing = true;
  void Promise.allSettled([...open].map((pool) => pool.close(`${signal} was received`))).then(() => {
    closing = false;
    if (alone) die(signal);
  });
}

/** What is to be done in the last moment of a process that a signal ends: it has no `exit` event. */
export const beforeDeath = new Set<() => void>();

/** Ends the process as the signal would have ended it. */
function die(signal: NodeJS.Signals): void {
  for (const last of beforeDeath) last();
  for (const one of SIGNALS) process.off(one, onSignal);
  process.kill(process.pid, signal);
}
