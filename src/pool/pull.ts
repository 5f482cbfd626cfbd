import type { BatchStore } from "./batch-store.ts";

/** Results that may wait for a consumer that iterates, before pulling pauses. */
const UNREAD_MAX = 1024;

/**
 * Pulls items and hands them on, never more ahead of the ended ones (and of those that an iterating consumer has taken)
 * than `window` says.
 */
export async function pull(
  items: Iterable<unknown> | AsyncIterable<unknown>,
  store: BatchStore,
  add: (values: readonly unknown[]) => void,
  window: () => number,
): Promise<void> {
  let wake: (() => void) | undefined;
  store.onConsumed = (): void => wake?.();
  const change = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
      void store.change().then(resolve);
    });
  try {
    for await (const item of items) {
      if (store.total !== undefined) return;
      add([item]);
      while (
        store.total === undefined &&
        (store.size - store.ended >= window() ||
          (store.consumed >= 0 && store.size - store.consumed > UNREAD_MAX + window()))
      )
        await change();
      if (store.total !== undefined) return;
    }
    store.close();
  } catch (error) {
    store.close(error);
  }
}
