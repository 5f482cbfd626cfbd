import { SkyError } from "../../errors/sky-error.ts";
import type { CloudProvider, Instance, Intent } from "../cloud-provider.ts";
import { type Patience, Waits } from "./patience.ts";
import { wordsOf } from "./watched.ts";

const RETRIES: Patience = { firstMs: 200, longestMs: 10_000, limitMs: 120_000 };
/** A machine whose create call lost its answer is looked for so often before the call is made again. */
const LOOKS: Patience = { firstMs: 200, longestMs: 1000, limitMs: 2500 };
/** Calls that fail without a reason, before that is the answer. */
const FAILURES_MAX = 3;

/** Promises that there is no machine. */
export function createdNothing(error: unknown): boolean {
  return error instanceof SkyError && /^SKY_PROVIDER_(CAPACITY|REFUSED|BUSY)$/.test(error.code);
}

/**
 * Creates the machine of an intent, once: an answer that was lost is looked for by the machine's name, and a second
 * call bears the same name.
 * @param cloud watched
 * @throws SkyError SKY_PROVIDER_CAPACITY, _REFUSED or _BUSY, when there is none; else what the provider failed with
 */
export async function create<P>(
  cloud: CloudProvider<P>,
  intent: Intent,
  prepared: P,
  signal: AbortSignal,
  say: (words: string) => void,
): Promise<Instance> {
  const waits = new Waits(RETRIES);
  for (let failures = 1; ; failures++) {
    try {
      return await cloud.provision(intent, prepared, signal);
    } catch (error) {
      if (createdNothing(error)) throw error;
      say(`${wordsOf(error)}; looks whether it was made all the same`);
      const found = await find(cloud, intent, signal, say);
      if (found) return found;
      if (failures === FAILURES_MAX || signal.aborted || !(await waits.wait(signal).catch(() => false))) throw error;
    }
  }
}

/** Looks for the machine of an intent for a moment. */
export async function find<P>(
  cloud: CloudProvider<P>,
  { name, tags }: Intent,
  signal: AbortSignal,
  say: (words: string) => void,
): Promise<Instance | undefined> {
  const waits = new Waits(LOOKS);
  do {
    // Whoever gives up meanwhile still has to learn what was created.
    const listed = await cloud.list(tags.owner, new AbortController().signal).catch((error: unknown) => {
      say(wordsOf(error));
      return [];
    });
    const found = listed.find((one) => one.name === name);
    if (found) return found;
  } while (!signal.aborted && (await waits.wait(signal).catch(() => false)));
  return undefined;
}
