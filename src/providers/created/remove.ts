import { SkyError } from "../../errors/sky-error.ts";
import type { CloudProvider } from "../cloud-provider.ts";
import { CALL_LIMIT_MS } from "./create.ts";
import { type Patience, Waits } from "./patience.ts";

const TRIES: Patience = { firstMs: 100, longestMs: 3000, limitMs: 60_000 };

/**
 * Ends a machine. Gone means that the provider says so: until then it is asked again.
 * @throws SkyError SKY_PROVIDER_FAILED when it is still there after a minute
 */
export async function remove<P>(cloud: CloudProvider<P>, id: string): Promise<void> {
  const waits = new Waits(TRIES);
  let failure: unknown;
  do {
    try {
      await cloud.terminate(id, AbortSignal.timeout(CALL_LIMIT_MS));
      if ((await cloud.describe(id, AbortSignal.timeout(CALL_LIMIT_MS))) === undefined) return;
    } catch (error) {
      failure = error;
    }
  } while (await waits.wait());
  const words = failure === undefined ? "it is still there" : (failure as Error).message;
  throw new SkyError("SKY_PROVIDER_FAILED", `${cloud.name}: ${id} could not be ended: ${words}`, {
    cause: failure,
    hint: "See what is left with sky sweep, and remove it with sky sweep --yes.",
  });
}
