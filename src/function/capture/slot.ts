import type { LoadedModule } from "./loaded-module.ts";
import type { Path } from "./refuse.ts";
import type { Node } from "./parser.ts";

type AnyFunction = (...args: never) => unknown;

/** A name in a stretch of source, and what it stands for in the module that is emitted. */
export interface BoundUse {
  readonly start: number;
  readonly end: number;
  readonly slot: Slot;
}

/** What a slot is made from. */
export type Item =
  /** An import; `base` is the file whose specifier it is. */
  | {
      readonly kind: "import";
      readonly specifier: string;
      readonly imported: string;
      readonly attributes: string;
      readonly base: string;
    }
  /** A `require`, or what a compiler put around it, as it stands in the module. */
  | {
      readonly kind: "require";
      readonly module: LoadedModule;
      readonly start: number;
      readonly end: number;
      readonly pattern: string | undefined;
      readonly name: string;
      readonly uses: BoundUse[];
    }
  /** Something that every Node program has: `Math.max`. */
  | { readonly kind: "expression"; readonly text: string }
  /** A property of another slot: `lodash.chunk`. */
  | { readonly kind: "member"; readonly of: Slot; readonly property: string }
  /** A function or class, as source. */
  | {
      readonly kind: "source";
      readonly module: LoadedModule;
      readonly start: number;
      readonly end: number;
      readonly node: Node;
      readonly value: AnyFunction;
      readonly uses: BoundUse[];
    }
  /** A `sky.fn` function around another slot. */
  | { readonly kind: "fn"; readonly body: Slot; readonly name: string | undefined; readonly fn: Slot }
  /** `target.bind(self, ...args)` */
  | { readonly kind: "bound"; readonly target: Slot; readonly bound: Slot }
  /** A variable that holds a function and is assigned again. */
  | { readonly kind: "alias"; readonly of: Slot }
  /** Plain data, sent beside the code. */
  | { readonly kind: "value" };

/** One thing that the emitted module declares, whatever the names it had at home. */
export interface Slot {
  readonly preferred: string;
  item: Item;
  /** Whether nothing at home assigns it again. */
  readonly constant: boolean;
  /** For values: where it is read from, and what was there. */
  reader?: Reader;
  /** Its name in the emitted module, once names are given. */
  emitted?: string;
}

export interface Reader {
  readonly holder: AnyFunction;
  readonly name: string;
  /** For messages. */
  readonly path: Path;
  value: unknown;
}
