import type { Graph } from "./graph.ts";
import { joinPaths, partsOf, samePaths, type Paths, WHOLE } from "./paths.ts";
import type { Path } from "./refuse.ts";
import type { BoundUse, Reader, Slot } from "./slot.ts";
import { type Holes, surveyValue } from "./survey.ts";

type AnyFunction = (...args: never) => unknown;

/** The data that travels beside the code, and the code inside that data. */
export class ValueSlots implements Holes {
  readonly isFirst = true;
  /** Functions, classes and objects inside captured data, to be put back by the emitted module. */
  readonly fillings = new Map<object, Slot>();
  /** Variables whose data has code in it, or is an instance that only its own codec knows. */
  readonly bound = new Set<Slot>();
  /** Whether an array, a Map or a Set in it has properties besides what it holds. */
  shaped = false;
  readonly #graph: Graph;
  readonly #slots: Slot[] = [];
  readonly #surveyed = new Map<Slot, Paths>();

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  /** Every slot whose value is read at each dispatch. */
  get slots(): readonly Slot[] {
    return this.#slots;
  }

  add(preferred: string, constant: boolean, reader: Reader): Slot {
    const slot: Slot = { preferred, item: { kind: "value" }, constant, reader };
    this.#slots.push(slot);
    this.#graph.slots.push(slot);
    return slot;
  }

  /** Takes back a slot that nothing uses. */
  drop(slot: Slot): void {
    for (const list of [this.#slots, this.#graph.slots]) {
      const at = list.indexOf(slot);
      if (at >= 0) list.splice(at, 1);
    }
  }

  /** Reads what is no variable: what a function was bound to, or carries. */
  fixed(holder: AnyFunction, name: string, path: Path, value: unknown, read?: () => unknown): Reader {
    return { holder, name, path, value, parts: WHOLE, ...(read === undefined ? {} : { read }) };
  }

  /**
   * Surveys each value, of objects that are only read through fixed paths these parts alone. Code in them may use more
   * of other values, so it goes round until nothing changes.
   */
  settle(): void {
    for (let changed = true; changed;) {
      changed = false;
      const uses = usesOf(this.#graph);
      for (const slot of [...this.#slots]) {
        const reader = slot.reader!;
        const parts = partsUsed(uses.get(slot));
        if (samePaths(this.#surveyed.get(slot), parts)) continue;
        this.#surveyed.set(slot, parts);
        reader.parts = parts;
        changed = true;
        const survey = surveyValue(partsOf(reader.value, parts), reader.path, this);
        if (survey.shaped) this.shaped = true;
        if (survey.holes || survey.opaque || survey.shaped) this.bound.add(slot);
      }
    }
  }

  onFunction(value: AnyFunction, path: Path, holder: object | undefined): void {
    if (holder !== undefined) this.#graph.madeWith.set(value, holder);
    if (!this.fillings.has(value)) this.fillings.set(value, this.#graph.function(value, path.last, path));
  }

  onInstance(constructor: AnyFunction, path: Path): void {
    if (this.fillings.has(constructor)) return;
    const name = constructor.name || path.last;
    this.fillings.set(constructor, this.#graph.function(constructor, name, path.to(constructor.name)));
  }

  onCodec(constructor: AnyFunction, path: Path): void {
    this.#graph.function(constructor, constructor.name || path.last, path.to(constructor.name));
  }

  onWellKnown(value: object, text: string): void {
    if (!this.fillings.has(value)) this.fillings.set(value, this.#graph.add(text, { kind: "expression", text }, value));
  }
}

/** The parts of a value that its uses read; the whole where one does more than that, or nothing in source uses it. */
export function partsUsed(uses: readonly BoundUse[] | undefined): Paths {
  return uses === undefined ? WHOLE : joinPaths(uses.flatMap((use) => use.paths));
}

function usesOf(graph: Graph): Map<Slot, BoundUse[]> {
  const found = new Map<Slot, BoundUse[]>();
  for (const { uses } of graph.stretches()) {
    for (const use of uses) {
      const list = found.get(use.slot);
      if (list === undefined) found.set(use.slot, [use]);
      else list.push(use);
    }
  }
  return found;
}
