import { ByteWriter } from "../../values/byte-writer.ts";
import { encode } from "../../values/encode.ts";
import type { EntrySource, NamedModule } from "../artifact/artifact.ts";
import { Code } from "./code.ts";
import { moduleName } from "./emit/module.ts";
import { rebased } from "./emit/write.ts";
import type { Plan } from "./plan.ts";

type AnyFunction = (...args: never) => unknown;

/** Functions that were sent as arguments, so that they are themselves when they come back. */
const KEPT = 10_000;

/** What stands for a function in an argument: which code, which function of home, and what it captures. */
export type CarriedFunction = readonly [code: number, instance: number, values: Record<string, unknown> | undefined];

/** A function's code together with that of functions and classes that a call gives it as arguments. */
export class CarryingCode extends Code {
  readonly #codes: readonly Code[];
  readonly #plans = new WeakMap<AnyFunction, Plan>();
  readonly #refused = new WeakMap<AnyFunction, { readonly error: unknown }>();
  readonly #instances = new Map<number, AnyFunction>();
  readonly #numbers = new WeakMap<AnyFunction, number>();
  /** Classes that were sent, by the id that they were sent under. */
  readonly #classes = new Map<string, AnyFunction>();
  #next = 0;

  constructor(main: Code, carried: readonly Code[]) {
    const { name, file, line, imports, known, homes } = main;
    super({ name, file, line, imports, known, homes, entry: entryOf(main, carried) });
    this.#codes = carried;
  }

  add(taken: ReadonlyMap<AnyFunction, Plan>, refused: ReadonlyMap<AnyFunction, unknown>): void {
    for (const [value, plan] of taken) this.#plans.set(value, plan);
    for (const [value, error] of refused) this.#refused.set(value, { error });
  }

  /** @throws what the capture of the function threw */
  describe(value: AnyFunction): CarriedFunction | undefined {
    const refused = this.#refused.get(value);
    if (refused !== undefined) throw refused.error;
    const plan = this.#plans.get(value);
    if (plan === undefined) return undefined;
    const { code, values } = plan.capture() ?? plan.first;
    return [this.#codes.indexOf(code), this.#numberOf(value), values];
  }

  /** `+1`, or `+1 ...` with what the class captures. */
  classId(constructor: AnyFunction): string | undefined {
    const plan = this.#plans.get(constructor);
    if (plan === undefined) return undefined;
    const { code, values } = plan.capture() ?? plan.first;
    const id = `+${this.#codes.indexOf(code)}${values === undefined ? "" : ` ${encoded(values)}`}`;
    this.#classes.set(id, constructor);
    return id;
  }

  classOf(id: string): AnyFunction | undefined {
    return this.#classes.get(id);
  }

  instance(number: number): AnyFunction | undefined {
    return this.#instances.get(number);
  }

  #numberOf(value: AnyFunction): number {
    let number = this.#numbers.get(value);
    if (number === undefined || !this.#instances.has(number)) {
      number = this.#next++;
      this.#numbers.set(value, number);
      this.#instances.set(number, value);
      this.#instances.delete(number - KEPT);
    }
    return number;
  }
}

function encoded(values: Record<string, unknown>): string {
  const writer = new ByteWriter(256);
  encode(values, writer, { root: "captured" });
  return writer.take().toString("base64");
}

/** The main entry's exports, and `carried`: what makes each function or class. */
function entryOf(main: Code, carried: readonly Code[]): EntrySource {
  const { entry } = main;
  const parts = [entry, ...carried.map((code) => code.entry)];
  const modules = new Map<string, NamedModule>();
  for (const part of parts) {
    for (const module of part.modules) modules.set(`${module.file} ${module.name}`, module);
    modules.set(`${part.file} ${part.entryName}`, { ...part, name: part.entryName });
  }
  const lines = parts.map((part, index) => {
    const from = JSON.stringify(rebased(`./${part.entryName}`, part.file, entry.file));
    return `import * as m${index} from ${from};\n`;
  });
  const list = carried.map((_, index) => `m${index + 1}.make`);
  const text = `${lines.join("")}export const { make, known } = m0;\nexport const carried = [${list.join(", ")}];\n`;
  return {
    ...entry,
    kind: "esm",
    text,
    entryName: moduleName(entry.file, "esm", text),
    modules: [...modules.values()],
    include: [...new Set(parts.flatMap((part) => part.include))],
    assets: [...new Set(parts.flatMap((part) => part.assets))],
    place: () => undefined,
    isHome: (file) => parts.some((part) => part.isHome(file)),
    declarations: (file, names, importer) => {
      for (const part of parts) {
        const found = part.declarations(file, names, importer);
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
}
