import { captureSync } from "../../function/capture/capture.ts";
import { carry } from "../../function/capture/carry.ts";
import type { ListedPackage } from "../../function/artifact/native/listed.ts";
import type { Code } from "../../function/capture/code.ts";
import { argumentHooks } from "../../function/capture/hooks.ts";
import { SkyError } from "../../errors/sky-error.ts";
import { type AnyFn, bodyOf } from "../../function/brand.ts";
import type { OutputRule, ResolvedOptions } from "../../function/options.ts";
import { ByteWriter } from "../../values/byte-writer.ts";
import { encode } from "../../values/encode.ts";

/** A function's code with the values that one dispatching call saw, and what holds for each of its tasks. */
export class Bind {
  readonly id: number;
  readonly code: Code;
  readonly group: number;
  readonly name: string;
  readonly values: Buffer;
  readonly limitMs: number;
  readonly options: ResolvedOptions;
  /** Segments that use it. */
  segments = 0;
  /** A later call saw other values: nodes forget it when its last task has ended. */
  retired = false;

  constructor(
    id: number,
    group: number,
    name: string,
    code: Code,
    values: Buffer,
    limitMs: number,
    options: ResolvedOptions,
  ) {
    this.id = id;
    this.group = group;
    this.name = name;
    this.code = code;
    this.values = values;
    this.limitMs = limitMs;
    this.options = options;
  }

  rule(stream: "stdout" | "stderr"): OutputRule | false | undefined {
    return this.options.silent ? false : this.options[stream];
  }
}

export interface BindTableOptions {
  readonly defaultLimitMs: number;
  /** Packages that the pool's nodes install. */
  readonly listed: readonly ListedPackage[];
  readonly retired: (bind: Bind) => void;
  /** What to throw where a function can't be sent. */
  readonly refusal: (error: unknown) => unknown;
}

interface Last {
  readonly captured: Readonly<Record<string, unknown>> | undefined;
  readonly bind: Bind;
}

const NO_VALUES = Buffer.alloc(0);

/** Turns functions into binds; a call that sees the same values as the one before gets the same bind. */
export class BindTable {
  readonly #defaultLimitMs: number;
  readonly #listed: readonly ListedPackage[];
  readonly #groups = new Map<Code, number>();
  readonly #last = new WeakMap<Code, Map<string, Last>>();
  /** What the last call of each function came to. */
  readonly #recent = new WeakMap<AnyFn, Last & { readonly options: ResolvedOptions }>();
  readonly #retired: (bind: Bind) => void;
  readonly #refusal: (error: unknown) => unknown;
  #nextId = 1;

  constructor({ defaultLimitMs, listed, retired, refusal }: BindTableOptions) {
    this.#defaultLimitMs = defaultLimitMs;
    this.#listed = listed;
    this.#retired = retired;
    this.#refusal = refusal;
  }

  /**
   * Reads what the function captures now, for a call with these arguments; a call that goes on takes the bind that it
   * `held`, unless the arguments bring code of their own.
   * @throws SkyError SKY_CAPTURE_*
   */
  of(fn: AnyFn, options: ResolvedOptions, args: unknown, held?: Bind): Bind {
    if (held !== undefined && carry(held.code, args) === held.code) return held;
    try {
      return this.#of(fn, options, args);
    } catch (error) {
      throw this.#refusal(error);
    }
  }

  #of(fn: AnyFn, options: ResolvedOptions, args: unknown): Bind {
    const { code: own, values } = captureSync(fn);
    const code = carry(own.with(this.#listed), args);
    const recent = this.#recent.get(fn);
    if (recent && recent.options === options && recent.captured === values && recent.bind.code === code)
      return recent.bind;
    const key = `${options.timeoutMs ?? ""} ${options.silent ?? ""} ${options.inspect ?? ""} ${ruleKey(options.stdout)} ${ruleKey(options.stderr)} ${options.rerun ?? ""} ${ruleKey(options.retry)} ${ruleKey(options.cache)}`;
    let byKey = this.#last.get(code);
    if (!byKey) this.#last.set(code, (byKey = new Map()));
    const bind = this.#bind(fn, code, options, values, byKey.get(key));
    byKey.set(key, { captured: values, bind });
    this.#recent.set(fn, { options, captured: values, bind });
    return bind;
  }

  #bind(
    fn: AnyFn,
    code: Code,
    options: ResolvedOptions,
    values: Readonly<Record<string, unknown>> | undefined,
    last: Last | undefined,
  ): Bind {
    if (last && last.captured === values) return last.bind;
    if (options.cache) refuseGenerator(fn);
    const bytes = values === undefined ? NO_VALUES : encoded(values, code);
    if (last) {
      if (last.bind.values.equals(bytes)) return last.bind;
      this.#retired(last.bind);
    }
    let group = this.#groups.get(code);
    if (group === undefined) this.#groups.set(code, (group = this.#groups.size));
    return new Bind(
      this.#nextId++,
      group,
      fn.name,
      code,
      bytes,
      options.inspect ? 0 : (options.timeoutMs ?? this.#defaultLimitMs),
      options,
    );
  }
}

function encoded(values: Readonly<Record<string, unknown>>, code: Code): Buffer {
  const writer = new ByteWriter(256);
  encode(values, writer, argumentHooks(code, "captured"));
  return writer.take();
}

const Generator = function* (): Generator {}.constructor;
const AsyncGenerator = async function* (): AsyncGenerator {}.constructor;

/** @throws SkyError SKY_BAD_OPTION: what it gives is not known when it returns */
function refuseGenerator(fn: AnyFn): void {
  const body = bodyOf(fn);
  if (body instanceof Generator || body instanceof AsyncGenerator)
    throw new SkyError("SKY_BAD_OPTION", `${fn.name} can't have cache: it gives a stream, which is not kept`);
}

const RULES = new WeakMap<object, number>();
let rules = 0;

/** A short text that differs for different rules; predicates are told apart by identity. */
function ruleKey(rule: unknown): string {
  if (typeof rule === "string" || typeof rule === "number") return String(rule);
  if ((typeof rule !== "function" && typeof rule !== "object") || rule === null) return "";
  let id = RULES.get(rule);
  if (id === undefined) RULES.set(rule, (id = ++rules));
  return `#${id}`;
}
