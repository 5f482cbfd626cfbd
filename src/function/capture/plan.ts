import type { Captured } from "./capture.ts";
import { type Code, codeOf } from "./code.ts";
import { Graph } from "./graph.ts";
import { inspectFunction, type LiveFunction } from "./inspector.ts";
import { partsOf } from "./paths.ts";
import { Path } from "./refuse.ts";
import type { Reader, Slot } from "./slot.ts";
import { type Holes, surveyValue } from "./survey.ts";
import { readValues } from "./values.ts";

type AnyFunction = (...args: never) => unknown;

/** One captured variable that is looked at again at each dispatch. */
interface Watched {
  readonly slot: Slot;
  readonly reader: Reader;
}

/** How one live function is captured: found out once, then only its changing values are read. */
export class Plan {
  readonly first: Captured;
  readonly #code: Code;
  readonly #values: readonly Watched[];
  /** Variables that are assigned again somewhere: only these need the engine's scopes. */
  readonly #variable: readonly Watched[];
  readonly #fillings: ReadonlyMap<object, number>;
  readonly #constant: boolean;
  /** Whether the code puts back properties of arrays. */
  readonly #shaped: boolean;

  /** With `origin` it is captured for the code of another function, which carries it. */
  constructor(body: AnyFunction, name: string, include: readonly string[], origin?: Code) {
    const graph = new Graph(name, origin?.homes, origin?.imports);
    const root = graph.take(body, new Path([name], undefined));
    const { code, fillings } = codeOf(graph, root, name, include, origin?.entry);
    this.#code = code;
    this.#shaped = graph.values.shaped;
    this.#fillings = new Map(fillings.map((item, index) => [item, index]));
    const watched = graph.slots.flatMap((slot) => (slot.reader === undefined ? [] : [{ slot, reader: slot.reader }]));
    this.#values = watched.filter(({ slot }) => slot.item.kind === "value");
    this.#variable = watched.filter(({ slot }) => !slot.constant);
    const frozen = this.#values.every(({ reader }) => surveyValue(partOf(reader), reader.path, NOTHING).frozen);
    this.#constant = this.#variable.length === 0 && frozen && this.#fillings.size === 0;
    this.first = { code, values: this.#read() };
  }

  /** The function as it is now, or undefined when it no longer is what the plan was made for. */
  capture(): Captured | undefined {
    if (this.#constant) return this.first;
    const live = new Map<AnyFunction, LiveFunction | undefined>();
    for (const { slot, reader } of this.#variable) {
      if (!live.has(reader.holder)) live.set(reader.holder, inspectFunction(reader.holder));
      const value = valueIn(live.get(reader.holder), reader.name);
      if (value === undefined) return undefined;
      if (slot.item.kind === "alias" || typeof value.value === "function") {
        if (value.value !== reader.value) return undefined;
      } else {
        reader.value = value.value;
      }
    }
    for (const { reader } of this.#values) if (reader.read !== undefined) reader.value = reader.read();
    if (!this.#stillFits()) return undefined;
    return { code: this.#code, values: this.#read() };
  }

  /** Refuses what can't travel; false when captured data holds code that the emitted module doesn't have. */
  #stillFits(): boolean {
    let fits = true;
    const known = (value: object): void => {
      if (!this.#fillings.has(value)) fits = false;
    };
    const holes: Holes = { onFunction: known, onInstance: known, onWellKnown: known, onCodec() {} };
    for (const { reader } of this.#values) {
      const { shaped } = surveyValue(partOf(reader), reader.path, holes);
      if (shaped && !this.#shaped && this.#fillings.size === 0) fits = false;
    }
    return fits;
  }

  #read(): Record<string, unknown> | undefined {
    return readValues(
      this.#values.map(({ slot }) => slot),
      [...this.#fillings.keys()],
      this.#shaped,
    );
  }
}

/** The parts of a captured value that travel. */
function partOf({ value, parts }: Reader): unknown {
  return partsOf(value, parts);
}

const NOTHING: Holes = {
  onFunction() {},
  onInstance() {},
  onCodec() {},
  onWellKnown() {},
};

function valueIn(live: LiveFunction | undefined, name: string): { readonly value: unknown } | undefined {
  for (const scope of live?.scopes ?? []) {
    const found = scope.variables.get(name);
    if (found !== undefined) return "value" in found ? found : undefined;
  }
  return undefined;
}
