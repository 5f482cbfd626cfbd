/** What a generator function gives when it runs on a node: its items, as they are made. */
export interface Stream<T> extends AsyncIterable<T> {
  [Symbol.asyncIterator](): AsyncIterator<T, void, undefined>;
}

/** The result of a body: a stream for generators, else what its promise resolves to. */
export type ResultOf<R> = R extends AsyncGenerator<infer T> | Generator<infer T> ? Stream<T> : Awaited<R>;
