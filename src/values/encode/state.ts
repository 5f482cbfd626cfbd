import { SkyError } from "../../errors/sky-error.ts";
import { ByteWriter } from "../byte-writer.ts";
import type { EncodeHooks } from "../hooks.ts";
import { DEFAULT_LIMITS, type Limits, ERROR_DEPTH, MAX_SHAPE_KEYS, SHAPE_SLOTS, withDefaults } from "../limits.ts";
import { Refusal } from "../refusal.ts";
import * as tag from "../tags.ts";
import { writeString } from "./scalars.ts";

/** Up to this many objects a scan over a fixed array is cheaper than a Map. */
const FEW = 16;
const NO_HOOKS: EncodeHooks = {};
const NO_KEYS: readonly string[] = [];
const NO_WRITER = new ByteWriter(16);

/** What one encoding remembers: objects already written, lists of keys, classes, depth. Used again and again. */
export abstract class EncodeState {
  writer = NO_WRITER;
  hooks: EncodeHooks = NO_HOOKS;
  limits: Limits = DEFAULT_LIMITS;
  /** `hooks.shared`, at hand: it is looked for with each object. */
  shared: EncodeHooks["shared"];
  depth = 0;
  /** `limits.depth`, less inside errors. */
  maxDepth = DEFAULT_LIMITS.depth;
  /** Above 0 what can't travel is replaced by a short text: inside errors, which must always arrive. */
  lenient = 0;
  private start = 0;
  private count = 0;
  private readonly few: unknown[] = Array.from({ length: FEW }, () => undefined);
  private many: Map<unknown, number> | undefined;
  private readonly shapes: (readonly string[])[] = Array.from({ length: SHAPE_SLOTS }, () => NO_KEYS);
  private shapeCount = 0;
  private classes: Map<string, number> | undefined;
  /** Ids of instances and functions whose state is being written: the other end can't refer to them yet. */
  private readonly pending: number[] = [];

  abstract value(value: unknown): void;

  begin(writer: ByteWriter, hooks: EncodeHooks | undefined, lenient: boolean): void {
    this.writer = writer;
    this.hooks = hooks ?? NO_HOOKS;
    this.limits = withDefaults(hooks?.limits);
    this.shared = hooks?.shared;
    this.start = writer.pos;
    this.lenient = lenient ? 1 : 0;
    this.maxDepth = lenient ? Math.min(this.limits.depth, ERROR_DEPTH) : this.limits.depth;
  }

  end(): void {
    for (let i = Math.min(this.count, FEW); i-- > 0;) this.few[i] = undefined;
    this.many = undefined;
    this.count = 0;
    this.depth = 0;
    this.lenient = 0;
    for (let i = Math.min(this.shapeCount, SHAPE_SLOTS); i-- > 0;) this.shapes[i] = NO_KEYS;
    this.shapeCount = 0;
    this.classes = undefined;
    if (this.pending.length > 0) this.pending.length = 0;
    this.writer = NO_WRITER;
    this.hooks = NO_HOOKS;
    this.shared = undefined;
  }

  /** The id of an object already written, or -1. */
  find(object: unknown): number {
    if (this.many !== undefined) return this.many.get(object) ?? -1;
    const { few, count } = this;
    for (let i = 0; i < count; i++) if (few[i] === object) return i;
    return -1;
  }

  /** Gives the next id to an object. The other end counts the same way. */
  add(object: unknown): number {
    const id = this.count++;
    if (this.many !== undefined) this.many.set(object, id);
    else if (id < FEW) this.few[id] = object;
    else {
      const many = new Map<unknown, number>();
      for (let i = 0; i < FEW; i++) many.set(this.few[i], i);
      many.set(object, id);
      this.many = many;
    }
    return id;
  }

  /** Writes a reference where the object was written before; else gives it an id and returns false. */
  back(object: object): boolean {
    const id = this.find(object);
    if (id < 0) {
      this.add(object);
      return false;
    }
    if (this.pending.length > 0 && this.pending.includes(id)) {
      this.refuse(
        new Refusal("", "it refers to the instance whose codec or function whose description is being written"),
      );
      return true;
    }
    this.writer.u8(tag.REF);
    this.writer.varint(id);
    return true;
  }

  /** Takes back the id given last, where the object is not written after all. */
  forget(object: object): void {
    const last = this.count - 1;
    if (this.find(object) !== last) return;
    this.count = last;
    if (this.many !== undefined) this.many.delete(object);
    else this.few[last] = undefined;
  }

  opaque(object: object, state: unknown): void {
    this.pending.push(this.find(object));
    this.value(state);
    this.pending.pop();
  }

  /** Throws, or inside an error writes a text in the value's place. */
  refuse(refusal: Refusal): void {
    if (this.lenient === 0) throw refusal;
    const label = refusal.label === "" ? "" : `${refusal.label}: `;
    writeString(this.writer, `[${label}${refusal.reason}]`);
  }

  enter(): void {
    this.depth++;
    const size = this.writer.pos - this.start;
    if (size > this.limits.bytes) throw tooLarge(this.limits.bytes);
  }

  checkSize(): void {
    if (this.writer.pos - this.start > this.limits.bytes) throw tooLarge(this.limits.bytes);
  }

  /** The slot of a list of keys that both ends remember, or -1. */
  shapeOf(keys: readonly string[]): number {
    const { shapes } = this;
    const n = keys.length;
    const used = Math.min(this.shapeCount, SHAPE_SLOTS);
    for (let s = 0; s < used; s++) {
      const shape = shapes[s]!;
      if (shape.length !== n) continue;
      let i = 0;
      while (i < n && shape[i] === keys[i]) i++;
      if (i === n) return s;
    }
    return -1;
  }

  /** Both ends take the slots in turn, so that a new list replaces the oldest. */
  addShape(keys: readonly string[]): void {
    if (keys.length > MAX_SHAPE_KEYS) return;
    this.shapes[this.shapeCount & (SHAPE_SLOTS - 1)] = keys;
    this.shapeCount++;
  }

  /** Writes a class's id: its text the first time, then its number. */
  classId(id: string): void {
    const classes = (this.classes ??= new Map());
    const known = classes.get(id);
    this.writer.varint(known ?? classes.size);
    if (known !== undefined) return;
    classes.set(id, classes.size);
    writeString(this.writer, id);
  }
}

function tooLarge(limit: number): SkyError {
  return new SkyError("SKY_VALUE_LIMIT", `The value takes more than ${limit} bytes when it is encoded.`, {
    hint: "Pass less, or share large data with pool.put(value).",
  });
}
