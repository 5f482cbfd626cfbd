// Types are part of the product. Compiled by `npm run types`, never run.
import * as sky from "skyward";

type Same<X, Y> = (<G>() => G extends X ? 1 : 2) extends <G>() => G extends Y ? 1 : 2 ? true : false;
function same<X, Y>(..._proof: Same<X, Y> extends true ? [] : ["these types differ"]): void {}

declare const pool: sky.Pool;

const add = sky.fn((a: number, b: number) => a + b);
const shout = sky.fn(async (text: string) => text.toUpperCase());
const numbers = sky.fn(function* (to: number) {
  for (let i = 0; i < to; i++) yield i;
});
const rows = sky.fn(async function* (file: string) {
  yield { file, row: 1 };
});
const first = sky.fn(<T>(list: readonly T[]) => list[0]!);
const optional = sky.fn((a: string, b = 1, ...rest: boolean[]) => a + b + rest.length);

export function calls(): void {
  same<ReturnType<typeof add>, sky.Pending<number>>();
  same<ReturnType<typeof shout>, sky.Pending<string>>();
  optional("a");
  optional("a", 2, true, false);
  // @ts-expect-error -- too few arguments
  add(1);
  // @ts-expect-error -- a wrong argument
  add(1, "2");
  // @ts-expect-error -- too many arguments
  shout("a", 1);
  // @ts-expect-error -- a pending is not a promise
  void add(1, 2).then;
  same<ReturnType<typeof add.local>, number>();
  same<ReturnType<typeof shout.local>, Promise<string>>();
  same<ReturnType<typeof add.explain>, Promise<sky.Explanation>>();
}

export function options(): void {
  sky.fn(() => 1, {
    timeout: "10m",
    queueTimeout: "1s",
    retry: 3,
    rerun: "never",
    stdout: "head",
    stderr: ({ node }) => node === 0,
    silent: true,
  });
  // @ts-expect-error -- a bare number is no duration
  sky.fn(() => 1, { timeout: 600 });
  // @ts-expect-error -- there is no such option
  sky.fn(() => 1, { timeuot: "1s" });
  sky.fn(() => 1, { retry: "5s", cache: true });
  sky.fn(() => 1, {
    retry: (failure, tries) => {
      same<typeof failure, sky.RetryFailure>();
      same<typeof tries, number>();
      if (failure.cause === "neverStarted") return true;
      return failure.kind === "lost" && tries < 5 && "10s";
    },
    cache: { dir: "/var/tmp/mine", ttl: "1h", maxGb: 2 },
  });
  // @ts-expect-error -- a decision is made at once
  sky.fn(() => 1, { retry: async () => true });
  // @ts-expect-error -- a number is no answer
  sky.fn(() => 1, { retry: () => 5 });
  // @ts-expect-error -- no such option of a cache
  sky.fn(() => 1, { cache: { folder: "/var/tmp/mine" } });
  // @ts-expect-error -- no such output rule
  add.with({ stdout: "all" });
  same<typeof add, ReturnType<typeof add.with>>();
  same<sky.Pending<number>, ReturnType<ReturnType<typeof add>["with"]>>();
  // @ts-expect-error -- not a function
  sky.fn(5);
}

export async function run(): Promise<void> {
  const task = pool.run(add(1, 2));
  same<typeof task, sky.Task<number>>();
  same<typeof task.cached, boolean>();
  same<typeof task.attempts, readonly sky.TaskAttempt[]>();
  const text = await pool.run(shout("a"));
  same<typeof text, string>();
  const stream = await pool.run(rows("f"));
  same<typeof stream, sky.Stream<{ file: string; row: number }>>();
  for await (const row of stream) same<typeof row, { file: string; row: number }>();
  const few = await pool.run(numbers(3));
  same<typeof few, sky.Stream<number>>();
  for await (const row of pool.run(rows("f"))) same<typeof row, { file: string; row: number }>();
  // @ts-expect-error -- its task gives a value, not a stream
  for await (const _ of pool.run(add(1, 2)));
  // @ts-expect-error -- the function itself is no call
  pool.run(add);
  // @ts-expect-error -- a promise is no call
  pool.run(Promise.resolve(1));
  pool.run(add(1, 2), { target: "head", signal: new AbortController().signal });
  // @ts-expect-error -- no such target
  pool.run(add(1, 2), { target: "tail" });
  same<typeof task.status, sky.TaskStatus>();
  same<typeof task.node, number | undefined>();
}

export async function streams(): Promise<void> {
  const total = sky.fn(async (items: AsyncIterable<number>) => {
    let sum = 0;
    for await (const item of items) sum += item;
    return sum;
  });
  async function* source(): AsyncGenerator<number> {
    yield 1;
  }
  const sum = await pool.run(total(source()));
  same<typeof sum, number>();
  await pool.run(total(await pool.run(numbers(3))));
  await pool.run(total(pool.run(numbers(3))));
  await pool.run(total(pool.map((x: number) => x, [1])));
  // @ts-expect-error -- elements of a wrong type
  total(pool.run(rows("f")));
  // @ts-expect-error -- a task that gives no stream
  total(pool.run(add(1, 2)));
  const returned = await pool.run(sky.fn(async () => source())());
  same<typeof returned, sky.Stream<number>>();
  const declared = await pool.run(sky.fn(async function* (): AsyncIterable<string> {})());
  same<typeof declared, sky.Stream<string>>();
  const list = await pool.run(sky.fn(() => [1, 2])());
  same<typeof list, number[]>();
  const tuple = await pool.run(sky.gather(numbers(1), add(1, 2)));
  same<typeof tuple, [sky.Stream<number>, number]>();
  const batch = pool.map(rows, ["a"]);
  same<typeof batch, sky.Batch<sky.Stream<{ file: string; row: number }>>>();
  const ranks = await pool.broadcast(numbers(1));
  same<typeof ranks, sky.Stream<number>[]>();
  await using stream = await pool.run(numbers(1));
  same<Awaited<ReturnType<typeof stream.next>>, IteratorResult<number, void>>();
}

export async function generic(): Promise<void> {
  const one = await pool.run(first([1, 2]));
  same<typeof one, number>();
  const text = await pool.run(first(["a"]));
  same<typeof text, string>();
}

export async function gather(): Promise<void> {
  const tuple = await pool.run(sky.gather(add(1, 2), shout("a"), first([true])));
  same<typeof tuple, [number, string, boolean]>();
  const list = await pool.run(sky.gather(new Set([add(1, 2)])));
  same<typeof list, number[]>();
  for await (const either of pool.run(sky.gather(add(1, 2), shout("a")))) same<typeof either, number | string>();
  // @ts-expect-error -- a function is no call
  sky.gather(add(1, 2), add);
}

export async function broadcast(): Promise<void> {
  const batch = pool.broadcast(shout("a"));
  same<typeof batch, sky.Batch<string>>();
  const all = await batch;
  same<typeof all, string[]>();
  pool.broadcast(shout("a"), { only: "ready" });
  // @ts-expect-error -- a broadcast has no target
  pool.broadcast(shout("a"), { target: 0 });
}

export async function map(): Promise<void> {
  const batch = pool.map(shout, ["a", "b"]);
  same<typeof batch, sky.Batch<string>>();
  same<Awaited<typeof batch>, string[]>();
  const plain = await pool.map((x: number) => ({ x }), new Float64Array(3));
  same<typeof plain, { x: number }[]>();
  const later = await pool.map(async (x: number) => x > 1, [1, 2]);
  same<typeof later, boolean[]>();
  for await (const one of batch.unordered()) same<typeof one, string>();
  for (const one of await batch.settled()) {
    if (one.status === "fulfilled") same<typeof one.value, string>();
    else same<typeof one.error, unknown>();
  }
  async function* source(): AsyncGenerator<string> {
    yield "a";
  }
  pool.map(shout, source());
  pool.map(shout, new Set(["a"]));
  // @ts-expect-error -- items of a wrong type
  pool.map(shout, [1, 2]);
  // @ts-expect-error -- items of a wrong type, from an iterable
  pool.map(shout, new Set([1]));
  // @ts-expect-error -- a number is no list of items
  pool.map(shout, 5);
}

/** Items need not be written inside the call. */
export async function hoisted(): Promise<void> {
  const data = new Float64Array(8);
  const train = sky.fn(([lr, values]: readonly [number, Float64Array]) => lr * values.length);
  const grid = [0.1, 0.3];
  const items = grid.map((lr) => [lr, data] as const);
  const losses = await pool.map(train, items);
  same<typeof losses, number[]>();
  const list = sky.fn((values: (number | Float64Array)[]) => values.length);
  const loose = grid.map((lr) => [lr, data]);
  const lengths = await pool.map(list, loose);
  same<typeof lengths, number[]>();
  const byName = sky.fn(({ lr }: { readonly lr: number; readonly data: Float64Array }) => lr);
  const jobs = grid.map((lr) => ({ lr, data }));
  const rates = await pool.map(byName, jobs);
  same<typeof rates, number[]>();
}

export async function starmap(): Promise<void> {
  const sums = await pool.starmap(add, [
    [1, 2],
    [3, 4],
  ]);
  same<typeof sums, number[]>();
  const tuples: [string, number][] = [["a", 1]];
  const texts = await pool.starmap((name: string, n: number) => name.repeat(n), tuples);
  same<typeof texts, string[]>();
  pool.starmap((name: string, n: number) => name + n, new Map([["a", 1]]));
  pool.starmap(optional, [["a"], ["a", 1], ["a", 1, true]]);
  // @ts-expect-error -- a tuple of wrong types
  pool.starmap(add, [[1, "2"]]);
  // @ts-expect-error -- a tuple that is too short
  pool.starmap(add, [[1]]);
}

export async function compute(): Promise<void> {
  const result = await sky.compute({ nodes: [2, 8] }, async (inner) => (await inner.run(add(1, 2))) > 2);
  same<typeof result, boolean>();
  await using opened = await sky.compute({ nodes: { desired: 2, min: 1 } });
  same<typeof opened, sky.Pool>();
  await using session = sky.session();
  const second = await session.compute();
  same<typeof second, sky.Pool>();
  // @ts-expect-error -- nodes is a number or a pair of them
  void sky.compute({ nodes: "4" });
  // @ts-expect-error -- there is no such option
  void sky.compute({ node: 4 });
  // @ts-expect-error -- a bare number is no duration
  void sky.compute({ defaultComputeTimeout: 300 });
}

export function inside(): void {
  const { id, attempt, signal, progress } = sky.task();
  same<typeof id, string>();
  same<typeof attempt, number>();
  same<typeof signal, AbortSignal>();
  progress(1, 2);
  const mine = sky.shard(new Float32Array(4));
  same<typeof mine, Float32Array>();
  const [x, y] = sky.shard([1, 2], ["a", "b"], { shuffle: true, seed: 1 });
  same<typeof x, number[]>();
  same<typeof y, string[]>();
  const model = sky.once(() => ({ weights: [1] }));
  same<ReturnType<typeof model>, { weights: number[] }>();
  const captured = sky.redirectOutput(
    () => {},
    async () => 5,
  );
  same<typeof captured, Promise<number>>();
}

export async function functionsOfAPool(): Promise<void> {
  await sky.compute({ functions: [add, shout, rows, (x: number) => x + 1] });
  // @ts-expect-error -- a call is no function
  await sky.compute({ functions: [add(1, 2)] });
  // @ts-expect-error -- a list
  await sky.compute({ functions: add });
}

export function refs(): void {
  const total = sky.fn((by: number, values: Float64Array) => by * values.length);
  const ref = pool.put(new Float64Array(8));
  same<typeof ref, sky.Ref<Float64Array<ArrayBuffer>>>();
  same<typeof ref.bytes, number>();
  same<ReturnType<typeof ref.release>, void>();
  const call = total(2, ref);
  same<typeof call, sky.Pending<number>>();
  total(pool.put(2), ref);
  void pool.map((values: Float64Array) => values.length, [ref, new Float64Array(1)]);
  const mapped = pool.map((n: number) => n + 1, [pool.put(1), 2]);
  same<Awaited<typeof mapped>, number[]>();
  void pool.starmap((by: number, values: Float64Array) => by * values.length, [[2, ref]]);
  void pool.starmap(total, [
    [1, ref],
    [2, new Float64Array(1)],
  ]);
  // @ts-expect-error -- a Ref of another type
  total(2, pool.put("text"));
  // @ts-expect-error -- it stands for a whole argument only
  sky.fn((options: { values: Float64Array }) => options)({ values: ref });
  // @ts-expect-error -- it is not the value itself
  void ref.length;
  const locally: number = total.local(2, ref);
  void locally;
  // @ts-expect-error -- a Ref of another type, here too
  total.local(2, pool.put("text"));
}
