import { SkyError } from "../errors/sky-error.ts";
import type { EventBus } from "../events/bus.ts";
import { checking } from "../function/checking.ts";
import { Pool } from "./pool.ts";
import { type PoolOptions, type PoolSpec, resolveSpec, type Sources } from "./spec.ts";

/** What the public surface adds: rooms that the pool itself does not know. */
export interface Wiring extends Sources {
  /** Starts the tools that the first dispatched function will need. */
  readonly warm: () => void;
  readonly attachConsole: (bus: EventBus, mode: PoolSpec["console"]) => Disposable;
}

export interface Compute {
  /** Opens a pool for the length of `body`, and closes it whatever happens. */
  <T>(options: PoolOptions, body: (pool: Pool) => T | Promise<T>): Promise<T>;
  /** Opens a pool for `await using`, or for `close()`. */
  (options?: PoolOptions): Promise<Pool>;
}

/** @throws SkyError SKY_BAD_OPTION, SKY_BAD_NODES, SKY_BAD_DURATION, before anything is made; SKY_POOL_FAILED and what a provider throws */
export function makeCompute(wiring: Wiring, onOpen?: (pool: Pool) => void): Compute {
  return (async (given?: PoolOptions, body?: (pool: Pool) => unknown): Promise<unknown> => {
    const options = given === undefined ? {} : given;
    const checked = checking();
    if (checked) return checked.opens();
    if (body !== undefined && typeof body !== "function")
      throw new SkyError("SKY_BAD_CALL", "the second argument of sky.compute is the function that uses the pool");
    const pool = new Pool(resolveSpec(options, wiring), wiring.attachConsole);
    onOpen?.(pool);
    wiring.warm();
    await pool.open();
    if (!body) return pool;
    try {
      return await body(pool);
    } finally {
      await pool.close("its scope ended");
    }
  }) as Compute;
}
