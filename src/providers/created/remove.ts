import { SkyError } from "../../errors/sky-error.ts";
import type { CloudProvider } from "../cloud-provider.ts";
import { type Patience, Waits } from "./patience.ts";
import { wordsOf } from "./watched.ts";

const TRIES: Patience = { firstMs: 100, longestMs: 3000, limitMs: 60_000 };

/**
 * Ends a machine. Gone means that the provider says so: until then it is asked again.
 * @param cloud watched
 * @throws SkyError SKY_PROVIDER_FAILED when it is still there after a minute
 */
export async function remove<P>(
  cloud: CloudProvider<P>,
  id: string,
  say: (words: string) => void = () => undefined,
): Promise<void> {
  const waits = new Waits(TRIES);
  const { signal } = new AbortController();
  let failure: unknown;
  for (;;) {
    try {
      await cloud.terminate(id, signal);
      if ((await cloud.describe(id, signal)) === undefined) return;
    } catch (error) {
      failure = error;
      say(`${wordsOf(error)}; again`);
    }
    if (!(await waits.wait())) break;
  }
  const words = failure === undefined ? `${cloud.name}: it is still there` : wordsOf(failure);
  throw new SkyError("SKY_PROVIDER_FAILED", `${id} could not be ended: ${words}`, {
    cause: failure,
    hint: "See what is left with sky sweep, and remove it with sky sweep --yes.",
  });
}
