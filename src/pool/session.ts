import { SkyError } from "../errors/sky-error.ts";
import { type Compute, makeCompute, type Wiring } from "./compute.ts";
import type { Pool } from "./pool.ts";

/** Several pools with one lifetime. */
export interface Session extends AsyncDisposable {
  /** Like `sky.compute`; a pool opened without a body lives until the session ends. */
  readonly compute: Compute;
  /** Pools that are open now. */
  readonly pools: readonly Pool[];
  close(): Promise<void>;
}

/** Makes `sky.session`. */
export function makeSession(wiring: Wiring): () => Session {
  return () => {
    const pools = new Set<Pool>();
    let closed = false;
    const open = makeCompute(wiring, (pool) => {
      for (const other of pools) if (other.closed) pools.delete(other);
      pools.add(pool);
      if (closed) void pool.close("its session has ended");
    });
    const close = async (): Promise<void> => {
      closed = true;
      await Promise.allSettled([...pools].map((pool) => pool.close("its session ended")));
      pools.clear();
    };
    const compute = ((...args: Parameters<Compute>) => {
      if (closed) return Promise.reject(new SkyError("SKY_POOL_CLOSED", "the session has ended"));
      return open(...args);
    }) as Compute;
    return {
      compute,
      get pools() {
        return [...pools].filter((pool) => !pool.closed);
      },
      close,
      [Symbol.asyncDispose]: close,
    };
  };
}
