import { SkyError } from "../../errors/sky-error.ts";
import type { CloudProvider, Instance, Intent } from "../cloud-provider.ts";
import { type Patience, Waits } from "./patience.ts";

/** One call to a provider may take this long. */
export const CALL_LIMIT_MS = 120_000;
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
 * @throws SkyError SKY_PROVIDER_CAPACITY or SKY_PROVIDER_REFUSED, when there is none; else what the provider failed with
 */
export async function create<P>(
  cloud: CloudProvider<P>,
  intent: Intent,
  prepared: P,
  signal: AbortSignal,
): Promise<Instance> {
  const waits = new Waits(RETRIES);
  let failures = 0;
  for (;;) {
    try {
      // Whoever gives up meanwhile still has to learn what was created.
      return await cloud.provision(intent, prepared, AbortSignal.timeout(CALL_LIMIT_MS));
    } catch (error) {
      if (createdNothing(error) && (error as SkyError).code !== "SKY_PROVIDER_BUSY") throw error;
      const found = createdNothing(error) ? undefined : await find(cloud, intent, signal);
      if (found) return found;
      const over = !createdNothing(error) && ++failures === FAILURES_MAX;
      if (over || signal.aborted || !(await waits.wait(signal).catch(() => false)))
        throw failed(cloud, "create", error);
    }
  }
}

/** Looks for the machine of an intent for a moment. */
export async function find<P>(
  cloud: CloudProvider<P>,
  { name, tags }: Intent,
  signal: AbortSignal,
): Promise<Instance | undefined> {
  const waits = new Waits(LOOKS);
  do {
    const listed = await cloud.list(tags.owner, AbortSignal.timeout(CALL_LIMIT_MS)).catch(() => []);
    const found = listed.find((one) => one.name === name);
    if (found) return found;
  } while (!signal.aborted && (await waits.wait(signal).catch(() => false)));
  return undefined;
}

export function failed({ name }: Pick<CloudProvider, "name">, call: string, cause: unknown): SkyError {
  if (cause instanceof SkyError) return cause;
  return new SkyError("SKY_PROVIDER_FAILED", `${name}: ${call}: ${String((cause as Error).message ?? cause)}`, {
    cause,
  });
}
