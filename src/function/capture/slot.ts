import type { LoadedModule } from "./loaded-module.ts";
import type { Paths } from "./paths.ts";
import type { Path } from "./refuse.ts";
import type { Node } from "./parser.ts";

type AnyFunction = (...args: never) => unknown;

/** A name in a stretch of source, and what it stands for in the module that is emitted. */
export interface BoundUse {
  readonly start: number;
  readonly end: number;
  /** Changed where a variable is split in two, one for each module that gets a part of it. */
  slot: Slot;
  readonly writes: boolean;
  /** The fixed paths that this use reads; an empty one: the value itself. */
  readonly paths: readonly (readonly string[])[];
}

/** A stretch that is written otherwise in the emitted module, such as a specifier that only a test runner knows. */
export interface Replacement {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Source text that travels: where it stands, and what its free names mean. */
export interface Stretch {
  readonly module: LoadedModule;
  readonly start: number;
  readonly end: number;
  readonly node: Node;
  readonly uses: BoundUse[];
  readonly replacements: Replacement[];
  /** Names that it leaves to the global scope: nothing may be declared under them around it. */
  readonly globals: Set<string>;
}

export type SourceItem = Stretch & { readonly kind: "source"; readonly value: AnyFunction };
export type TextItem = Stretch & {
  readonly kind: "text";
  /** Of `const { a } = require("x")`, the pattern and the variable in it. */
  readonly pattern: string | undefined;
  readonly name: string;
};
export interface ImportItem {
  readonly kind: "import";
  readonly specifier: string;
  readonly imported: string;
  readonly attributes: string;
  /** The file whose specifier it is; empty for one that means the same everywhere. */
  readonly base: string;
  /** A test runner gives what a CommonJS package exports as named exports too. */
  readonly interop?: boolean;
}

/** What a slot is made from. */
export type Item =
  | ImportItem
  /** A `require`, or another initialiser that means the same on the node, as it stands in the module. */
  | TextItem
  /** Something that every Node program has: `Math.max`; `unique` where two evaluations give two things. */
  | { readonly kind: "expression"; readonly text: string; readonly unique?: boolean }
  /** A property of another slot: `lodash.chunk`. */
  | { readonly kind: "member"; readonly of: Slot; readonly property: string }
  /** A function or class, as source. */
  | SourceItem
  /** A `sky.fn` function around another slot. */
  | { readonly kind: "fn"; readonly body: Slot; readonly name: string | undefined; readonly fn: Slot }
  /** What `sky.once` made, around the function that makes it; `id` names one that no top level declares. */
  | { readonly kind: "once"; readonly make: Slot; readonly once: Slot; readonly id: Slot | undefined }
  /** `target.bind(self, ...args)`; `given` is what stands in the brackets */
  | { readonly kind: "bound"; readonly target: Slot; readonly given: readonly Slot[] }
  /** A variable that holds a function and is assigned again. */
  | { readonly kind: "alias"; readonly of: Slot }
  /** Properties that the program put on a function, a class, or its prototype. */
  | { readonly kind: "patch"; readonly target: Slot; readonly part: "own" | "prototype"; readonly data: Slot }
  /** `sky.register(target, codec)` */
  | {
      readonly kind: "register";
      readonly target: Slot;
      readonly register: Slot;
      readonly id: string | undefined;
      readonly methods: { readonly encode: Slot; readonly decode: Slot } | undefined;
    }
  /** What `util.inherits` did: the prototype of one function's instances is that of another's. */
  | { readonly kind: "inherit"; readonly target: Slot; readonly parent: Slot }
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
  /** Where the top level of a module of the user's own declares it: there is one of it in the program. */
  top?: { readonly file: string; readonly kind: "esm" | "cjs"; readonly name: string };
  /** The function or class that it is at home. */
  live?: AnyFunction;
  /** Of a whole module, what it holds at home. */
  exports?: Readonly<Record<string, unknown>>;
  /** Its name in the entry module, once names are given. */
  emitted?: string;
}

export interface Reader {
  readonly holder: AnyFunction;
  readonly name: string;
  /** For messages. */
  readonly path: Path;
  value: unknown;
  /** Makes the value anew where it is no variable. */
  readonly read?: () => unknown;
  /** Which parts of the value are used. */
  parts: Paths;
}

export function isStretch(item: Item): item is SourceItem | TextItem {
  return item.kind === "source" || item.kind === "text";
}
