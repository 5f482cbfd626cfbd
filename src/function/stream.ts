/**
 * What a generator function gives when it runs on a node: its elements, as they are made, once. Leaving a loop over it
 * (or `return()`, or disposing it) ends the generator, whose `finally` runs on the node, and waits for that.
 */
export interface Stream<T> extends AsyncIterable<T>, AsyncDisposable {
  next(): Promise<IteratorResult<T, void>>;
  return(): Promise<IteratorResult<T, void>>;
  /** Ends the generator as `return` does, then rejects with the error. */
  throw(error: unknown): Promise<IteratorResult<T, void>>;
  [Symbol.asyncIterator](): AsyncIterator<T, void, undefined>;
}

/** The result of a body: a stream for what is iterated asynchronously and for iterators, else what its promise resolves to. */
export type ResultOf<R> = Awaited<R> extends infer V ? Streamed<V> : never;

type Streamed<V> = V extends AsyncIterable<infer T> | Iterator<infer T> ? Stream<T> : V;
