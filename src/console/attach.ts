import type { EventBus } from "../events/bus.ts";
import type { EventPrefix, SkyEvent } from "../events/event.ts";
import { projectPool } from "../events/projection.ts";
import { emptyPool, type PoolView } from "../events/views.ts";
import { whyWaiting } from "../events/why-waiting.ts";
import { type Colors, colorsFor, wantsColors } from "./colors.ts";
import { describe, type Line, type LineKind } from "./describe.ts";
import { clockTime, plural } from "./format.ts";
import { LiveArea } from "./live-area.ts";
import { type ConsoleMode, isLive } from "./mode.ts";
import { ProgressLines } from "./progress-lines.ts";
import { panelRows } from "./panel.ts";
import { sanitize } from "./sanitize.ts";
import { statusText, summaryText } from "./status.ts";
import type { ConsoleStream } from "./stream.ts";
import { Throttle } from "./throttle.ts";

export interface ConsoleOptions {
  /**
   * `auto` and `rich`: the log, and on a terminal a line for each node and one for the pool below it. `log`: only
   * appended lines. `minimal`: life cycle and failures, no output of tasks, one line below. `silent`: nothing.
   * @default "auto"
   */
  readonly mode?: ConsoleMode;
  /** @default process.stderr */
  readonly stream?: ConsoleStream;
  /** Other streams that write to the same terminal, kept apart from the status row. @default stdout and stderr, where they are terminals */
  readonly sharedWith?: readonly ConsoleStream[];
  /** @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since the epoch. @default Date.now */
  readonly now?: () => number;
  /** Calls back every `ms` until the function that it returns is called. @default an unref'ed interval */
  readonly every?: (callback: () => void, ms: number) => () => void;
}

const REDRAW_MS = 100;
const CHECK_MS = 1000;
const HEARTBEAT_MS = 30_000;
const REASON_AFTER_MS = 5_000;
const FAILURES_PER_SECOND = 10;
const LABEL_WIDTH = 7;

// Events of single tasks are left out but for failures, re-runs and what bodies report: they would be made for us by the million.
const LIFE: readonly EventPrefix[] = [
  "Pool",
  "Node",
  "Tasks",
  "Scaling",
  "Error",
  "Task.Failed",
  "Task.Retried",
  "Task.Inspectable",
];
const SHOWN: Readonly<Record<"minimal" | "log", ReadonlySet<LineKind>>> = {
  minimal: new Set<LineKind>(["life", "good", "failure", "warning"]),
  log: new Set<LineKind>(["life", "good", "failure", "warning", "detail", "output"]),
};

/** Shows what happens on a bus to a person. Disposing it draws the last lines and leaves the terminal clean. */
export function attachConsole(bus: EventBus, options: ConsoleOptions = {}): Disposable {
  const mode = options.mode ?? "auto";
  if (mode === "silent") return { [Symbol.dispose]() {} };
  const shown = new Console(mode, options);
  const only: readonly EventPrefix[] =
    mode === "minimal" ? LIFE : [...LIFE, "Task.Progress", "Log", "Metric", "Events"];
  const unsubscribe = bus.subscribe((event) => shown.take(event), { only });
  return {
    [Symbol.dispose]() {
      unsubscribe();
      shown.end();
    },
  };
}

/** Those of pools that are open, by the stream that they share: each must say then which pool it speaks of. */
const NEIGHBOURS = new WeakMap<ConsoleStream, Set<Console>>();

class Console {
  readonly #stream: ConsoleStream;
  readonly #colors: Colors;
  readonly #shown: ReadonlySet<LineKind>;
  readonly #now: () => number;
  readonly #live: LiveArea | undefined;
  readonly #heartbeatMs: number;
  readonly #stopTimer: () => void;
  readonly #failures = new Throttle(FAILURES_PER_SECOND);
  readonly #progress = new ProgressLines();
  readonly #views = new Map<string, PoolView>();
  readonly #said = new Map<string, { at: number; text: string }>();
  readonly #stopped = new Set<string>();
  readonly #panel: boolean;
  readonly #neighbours: Set<Console>;
  readonly #names = new Map<string, string>();
  #several = false;
  #labelWidth = LABEL_WIDTH;
  #ended = false;

  constructor(mode: ConsoleMode, options: ConsoleOptions) {
    const env = options.env ?? process.env;
    this.#stream = options.stream ?? process.stderr;
    this.#colors = colorsFor(wantsColors(this.#stream, env));
    this.#shown = SHOWN[mode === "minimal" ? "minimal" : "log"];
    this.#now = options.now ?? Date.now;
    this.#panel = mode !== "minimal";
    const shared = options.sharedWith ?? [process.stdout, process.stderr].filter((stream) => stream.isTTY);
    this.#live = isLive(mode, this.#stream, env) ? LiveArea.of(this.#stream, shared) : undefined;
    const seconds = Number(env["SKYWARD_LOG_METRICS_INTERVAL"]);
    this.#heartbeatMs = seconds > 0 ? seconds * 1000 : HEARTBEAT_MS;
    this.#stopTimer = (options.every ?? every)(() => this.#tick(), this.#live === undefined ? CHECK_MS : REDRAW_MS);
    ignoreErrors(this.#stream);
    this.#neighbours = NEIGHBOURS.get(this.#stream) ?? new Set();
    NEIGHBOURS.set(this.#stream, this.#neighbours.add(this));
  }

  take(event: SkyEvent): void {
    // What comes after a pool's last line, such as the last machine's end, must not bring its row back.
    if (event.type === "Pool.Provisioning") this.#stopped.delete(event.pool);
    if (this.#stopped.has(event.pool)) return;
    const view = projectPool(this.#views.get(event.pool) ?? emptyPool(event.pool, event.at), event);
    this.#views.set(event.pool, view);
    this.#nameOf(event.pool);
    if (event.type === "Pool.Stopped") {
      this.#sayHeld();
      const kind = view.phase === "failed" || view.tasks.failed > 0 ? "failure" : "good";
      this.#say(event.pool, event.at, { kind, text: summaryText(view, event.elapsedMs) });
      this.#views.delete(event.pool);
      this.#said.delete(event.pool);
      this.#stopped.add(event.pool);
      if (this.#views.size === 0) this.#live?.remove(this);
      return;
    }
    const line = describe(event);
    if (line === undefined || !this.#shown.has(line.kind)) return;
    if (event.type === "Task.Progress" && !this.#progress.allows(event, this.#now())) return;
    const stormy = event.type === "Task.Failed" || event.type === "Task.Retried";
    if (stormy && !this.#failures.allows(this.#now())) return;
    this.#say(event.pool, event.at, line);
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stopTimer();
    this.#sayHeld();
    this.#live?.remove(this);
    this.#neighbours.delete(this);
  }

  #tick(): void {
    const now = this.#now();
    this.#sayHeld(now);
    const rows: string[] = [];
    for (const view of this.#views.values()) {
      if (this.#live === undefined) this.#heartbeat(view, now);
      else rows.push(...this.#rowsOf(view, now, this.#live));
    }
    if (rows.length > 0) this.#live?.set(this, rows);
  }

  #rowsOf(view: PoolView, now: number, live: LiveArea): readonly string[] {
    const name = this.#isOneOfSeveral ? this.#nameOf(view.name) : undefined;
    const { columns, rows } = live.size;
    // Each pool has its part of the height; `minimal` shows no nodes.
    const height = this.#panel ? Math.floor(rows / this.#pools.length) : 0;
    return panelRows(view, now, { columns, rows: height, colors: this.#colors }, name);
  }

  /** Where no row can stand: a line now and then on how far it is, and soon when nothing happens. */
  #heartbeat(view: PoolView, now: number): void {
    const said = this.#said.get(view.name) ?? { at: view.startedAt, text: "" };
    const stalled = view.tasks.stalledSince;
    const reason = stalled !== undefined && now - stalled >= REASON_AFTER_MS ? whyWaiting(view, now) : undefined;
    const soon = reason !== undefined && said.text !== "stalled" && now - said.at >= REASON_AFTER_MS;
    if (!soon && now - said.at < this.#heartbeatMs) return;
    const counts = JSON.stringify([view.tasks.done, view.tasks.failed, view.tasks.queued, view.counts]);
    this.#said.set(view.name, { at: now, text: reason === undefined ? counts : "stalled" });
    if (reason === undefined && counts === said.text) return;
    this.#say(view.name, now, { kind: reason === undefined ? "detail" : "warning", text: statusText(view, now) });
  }

  #sayHeld(now?: number): void {
    const held = this.#failures.takeHeld(now);
    if (held === 0) return;
    const pool = this.#views.keys().next().value ?? "pool";
    this.#say(pool, this.#now(), { kind: "failure", text: `${plural(held, "more task")} failed or ran again` });
  }

  #say(pool: string, at: number, line: Line): void {
    if (!this.#shown.has(line.kind)) return;
    const head = `${this.#colors.dim(clockTime(at))}  ${this.#colors.cyan(this.#label(pool, line.node))}  `;
    const clean = sanitize(line.text, { colors: this.#colors.enabled });
    const text = clean
      .split("\n")
      .map((part) => `${head}${this.#paint(line.kind, part)}\n`)
      .join("");
    if (this.#live === undefined) this.#stream.write(text);
    else this.#live.print(text);
  }

  #paint(kind: LineKind, text: string): string {
    if (kind === "failure") return this.#colors.red(text);
    if (kind === "warning") return this.#colors.yellow(text);
    if (kind === "good") return this.#colors.green(text);
    return kind === "detail" ? this.#colors.dim(text) : text;
  }

  #label(pool: string, node: number | undefined): string {
    const own = node === undefined ? "pool" : `node ${node}`;
    const label = this.#isOneOfSeveral ? `${this.#nameOf(pool)}/${own}` : own;
    this.#labelWidth = Math.max(label.length, ...[...this.#neighbours].map((one) => one.#labelWidth));
    return label.padEnd(this.#labelWidth);
  }

  /** Pools that show on this stream: whose, and their names. */
  get #pools(): readonly (readonly [Console, string])[] {
    return [...this.#neighbours].flatMap((one) => [...one.#views.keys()].map((name) => [one, name] as const));
  }

  /** Also when the others have closed: who reads on knows the pool by its name by then. */
  get #isOneOfSeveral(): boolean {
    return (this.#several ||= this.#pools.length > 1);
  }

  /** Where several have one name, later ones have a number too. */
  #nameOf(pool: string): string {
    let name = this.#names.get(pool);
    if (name === undefined) {
      const namesakes = this.#pools.filter(([one, other]) => other === pool && one !== this).length;
      name = sanitize(namesakes === 0 ? pool : `${pool}-${namesakes + 1}`).replaceAll("\n", " ");
      this.#names.set(pool, name);
    }
    return name;
  }
}

const HARMLESS = new WeakSet<ConsoleStream>();

/** A reader of our lines that goes away (`2>&1 | head`) must not end the user's program, as with Node's own console. */
function ignoreErrors(stream: ConsoleStream): void {
  if (stream.on === undefined || HARMLESS.has(stream)) return;
  HARMLESS.add(stream);
  stream.on("error", () => {});
}

function every(callback: () => void, ms: number): () => void {
  const timer = setInterval(callback, ms);
  timer.unref();
  return () => clearInterval(timer);
}
