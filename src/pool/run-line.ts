import { SkyError } from "../errors/sky-error.ts";
import { argsOf, fnOf, optionsOf, type Pending } from "../function/pending.ts";
import type { Bind } from "./dispatch/bind.ts";
import type { Dispatcher } from "./dispatch/dispatcher.ts";
import { type Segment, type SegmentSink, State } from "./dispatch/segment.ts";
import { sourcesIn } from "./dispatch/sources.ts";
import { type Observers, Task, type TaskOwner } from "./task.ts";

/** The tasks of one segment of single runs. */
class Runs implements SegmentSink {
  readonly tasks: (Task<unknown> | undefined)[] = [];
  #ended: Map<number, () => void> | undefined;

  onEnd(index: number, then: () => void): void {
    (this.#ended ??= new Map()).set(index, then);
  }

  began(_segment: Segment, index: number, stream: unknown): void {
    const task = this.tasks[index];
    this.tasks[index] = undefined;
    task?.settle(false, stream);
  }

  settled(_segment: Segment, index: number, state: number, value: unknown): void {
    const task = this.tasks[index];
    this.tasks[index] = undefined;
    task?.settle(state !== State.DONE, value);
    this.#ended?.get(index)?.();
  }
}

/** The segment that takes runs now. */
interface Open {
  readonly segment: Segment;
  readonly runs: Runs;
  readonly bind: Bind;
  readonly target: number;
}

/** Turns single runs into segments: those of one tick with the same function, options and target share one. */
export class RunLine {
  readonly #dispatcher: Dispatcher;
  readonly #owner: TaskOwner;
  readonly #observers: Observers;
  readonly #queues = new Map<number, number>();
  #open: Open | undefined;

  constructor(dispatcher: Dispatcher, owner: TaskOwner, observers: Observers) {
    this.#dispatcher = dispatcher;
    this.#owner = owner;
    this.#observers = observers;
    dispatcher.onFlush = (): void => this.#seal();
  }

  add(pending: Pending<unknown>, target: number, signal: AbortSignal | undefined): Task<unknown> {
    const options = optionsOf(pending);
    const sources = sourcesIn(argsOf(pending));
    const args = sources?.args ?? argsOf(pending);
    const bind = this.#dispatcher.bind(fnOf(pending), options, args);
    const queueTimeoutMs = options.queueTimeoutMs ?? 0;
    let open = this.#open;
    if (
      !open ||
      open.bind !== bind ||
      open.target !== target ||
      open.segment.queueTimeoutMs !== queueTimeoutMs ||
      !this.#dispatcher.isOpen(open.segment)
    ) {
      this.#seal();
      open = this.#begin(bind, target, queueTimeoutMs);
    }
    const { segment, runs } = open;
    const index = this.#dispatcher.add(segment, args, sources);
    const task = new Task<unknown>(this.#owner, segment, index, this.#observers);
    runs.tasks[index] = task;
    this.#dispatcher.enqueue(segment, index, 1);
    if (signal) this.#follow(signal, segment, runs, index);
    return task;
  }

  #begin(bind: Bind, target: number, queueTimeoutMs: number): Open {
    const runs = new Runs();
    const segment = this.#dispatcher.segment({
      sink: runs,
      bind,
      queue: this.#queue(target, queueTimeoutMs),
      target,
      single: false,
      queueTimeoutMs,
      capacity: 16,
    });
    const open = { segment, runs, bind, target };
    this.#open = open;
    return open;
  }

  #seal(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open) this.#dispatcher.seal(open.segment);
  }

  /** Single runs share a queue per target, so that they start in the order of their calls. */
  #queue(target: number, queueTimeoutMs: number): number {
    if (target < 0 && queueTimeoutMs === 0) return 0;
    const key = target * 2 + (queueTimeoutMs > 0 ? 1 : 0);
    let queue = this.#queues.get(key);
    if (queue === undefined) this.#queues.set(key, (queue = this.#dispatcher.openQueue(target, queueTimeoutMs === 0)));
    return queue;
  }

  #follow(signal: AbortSignal, segment: Segment, runs: Runs, index: number): void {
    const abort = (): void =>
      this.#dispatcher.cancel(
        segment,
        index,
        1,
        new SkyError("SKY_TASK_CANCELLED", `${segment.bind.name}: the call's signal was aborted`, {
          cause: signal.reason,
          details: { task: `t${segment.first + index}` },
        }),
        signal.reason,
      );
    signal.addEventListener("abort", abort, { once: true });
    runs.onEnd(index, () => signal.removeEventListener("abort", abort));
  }
}
