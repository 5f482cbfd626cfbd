const MAKE = Symbol.for("skyward.once");

interface Made {
  readonly value: unknown;
}

const made: Made[] = [];

/** A thing that is made lazily, once in each executor; calling it gives the thing. */
export interface Once<T> {
  (): T;
  /** How it is made: what travels to a node in place of the thing. */
  readonly [MAKE]: () => T;
}

/**
 * Makes something once per executor, when it is first asked for: a client, a loaded model. It is disposed with the
 * executor where it has `Symbol.asyncDispose` or `Symbol.dispose`. A `make` that fails is tried again by the next call.
 *
 * ```ts
 * const model = sky.once(() => loadModel("weights.bin"));
 * const predict = sky.fn(async (x: number[]) => (await model()).predict(x));
 * ```
 */
export function once<T>(make: () => T): Once<T> {
  let entry: { readonly value: T } | undefined;
  const get = (): T => {
    if (entry !== undefined) return entry.value;
    const created = { value: make() };
    entry = created;
    made.push(created);
    if (created.value instanceof Promise) {
      created.value.catch(() => {
        if (entry === created) entry = undefined;
        const index = made.indexOf(created);
        if (index >= 0) made.splice(index, 1);
      });
    }
    return created.value;
  };
  return Object.defineProperty(get, MAKE, { value: make }) as Once<T>;
}

/**
 * Disposes all that `once` made in this thread, the newest first.
 * @throws AggregateError of what failed, after everything was tried
 */
export async function disposeOnce(): Promise<void> {
  const failures: unknown[] = [];
  for (const { value } of made.splice(0).reverse()) {
    try {
      await dispose(await value);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, "what sky.once made could not be disposed");
}

async function dispose(value: unknown): Promise<void> {
  if (typeof value !== "object" || value === null) return;
  const owner = value as Partial<AsyncDisposable & Disposable>;
  if (typeof owner[Symbol.asyncDispose] === "function") await owner[Symbol.asyncDispose]?.();
  else owner[Symbol.dispose]?.();
}
