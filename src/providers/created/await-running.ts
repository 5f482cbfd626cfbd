import { SkyError } from "../../errors/sky-error.ts";
import type { CloudProvider, Instance, Login } from "../cloud-provider.ts";
import { type Patience, Waits } from "./patience.ts";
import { wordsOf } from "./watched.ts";

/** From the last change that the provider told of. */
const STEP: Patience = { firstMs: 100, longestMs: 3000, limitMs: 300_000 };
/** A machine that was just created may be unknown to other calls for so long. */
const UNKNOWN_MS = 60_000;

export interface Running extends Instance {
  readonly login: Login;
}

/**
 * Waits until a created machine can be logged in to. Calls that fail are made again.
 * @param cloud watched
 * @throws SkyError SKY_PROVIDER_FAILED when it ends, vanishes, or nothing changes for five minutes
 */
export async function awaitRunning<P>(
  cloud: CloudProvider<P>,
  created: Instance,
  signal: AbortSignal,
  say: (words: string) => void,
): Promise<Running> {
  const began = performance.now();
  let seen = "";
  let waits = new Waits(STEP);
  let known = false;
  let failure: unknown;
  let now: Instance | undefined = created;
  for (;;) {
    if (now?.state === "running" && now.login) return { ...now, login: now.login };
    if (now?.state === "ending" || (!now && (known || performance.now() - began > UNKNOWN_MS))) {
      throw new SkyError("SKY_PROVIDER_FAILED", `${cloud.name}: ${created.name} ended before it could be used`);
    }
    const shown = `${now?.state} ${now?.login?.host}`;
    if (now && shown !== seen) [seen, waits] = [shown, new Waits(STEP)];
    if (!(await waits.wait(signal))) {
      const lacks = now?.state === "running" ? ", with no address to log in at," : "";
      const words = `${cloud.name}: ${created.name} is ${now?.state ?? "unknown"}${lacks} for ${STEP.limitMs / 1000} s`;
      const why = failure === undefined ? "" : `; ${wordsOf(failure)}`;
      throw new SkyError("SKY_PROVIDER_FAILED", `${words}${why}`, { cause: failure });
    }
    try {
      const described: Instance | undefined = await cloud.describe(created.id, signal);
      known ||= described !== undefined;
      now = described;
      failure = undefined;
    } catch (error) {
      signal.throwIfAborted();
      failure = error;
      say(`${wordsOf(error)}; again`);
    }
  }
}
