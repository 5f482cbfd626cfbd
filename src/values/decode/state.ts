import { Buffer } from "node:buffer";
import { SkyError } from "../../errors/sky-error.ts";
import type { AnyClass, DecodeHooks } from "../hooks.ts";
import { DEFAULT_LIMITS, type Limits, MAX_SHAPE_KEYS, SHAPE_SLOTS, withDefaults } from "../limits.ts";
import { type Codec, ownCodec, registeredId } from "../registry.ts";

const NO_HOOKS: DecodeHooks = {};
const NO_BYTES = Buffer.alloc(0);
/** Reserved for an object whose state is still being read. */
export const PENDING: unique symbol = Symbol("pending");

/** A list of keys that both ends remember. `plain` where an assignment can't reach a setter of Object.prototype. */
export interface Shape {
  readonly keys: readonly string[];
  readonly plain: boolean;
}

interface ResolvedClass {
  readonly id: string;
  readonly constructor: AnyClass;
  readonly codec: Codec | undefined;
}

/** The cursor over one value's bytes, with what the value's parts refer to. Every length is checked before it is used. */
export abstract class DecodeState {
  buf: Buffer = NO_BYTES;
  pos = 0;
  limit = 0;
  hooks: DecodeHooks = NO_HOOKS;
  limits: Limits = DEFAULT_LIMITS;
  private depth = 0;
  private refs: unknown[] = [];
  private readonly shapes: (Shape | undefined)[] = Array.from({ length: SHAPE_SLOTS }, () => undefined);
  private shapeCount = 0;
  private classes: ResolvedClass[] = [];

  abstract value(): unknown;

  begin(buf: Buffer, start: number, end: number, hooks: DecodeHooks | undefined): void {
    this.buf = buf;
    this.pos = start;
    this.limit = end;
    this.hooks = hooks ?? NO_HOOKS;
    this.limits = withDefaults(hooks?.limits);
  }

  end(): void {
    this.buf = NO_BYTES;
    this.hooks = NO_HOOKS;
    this.depth = 0;
    if (this.refs.length > 0) this.refs = [];
    for (let i = Math.min(this.shapeCount, SHAPE_SLOTS); i-- > 0;) this.shapes[i] = undefined;
    this.shapeCount = 0;
    if (this.classes.length > 0) this.classes = [];
  }

  get remaining(): number {
    return this.limit - this.pos;
  }

  u8(): number {
    if (this.pos >= this.limit) throw this.malformed("it ends too early");
    return this.buf[this.pos++]!;
  }

  /** The next byte, left where it is. */
  peek(): number {
    if (this.pos >= this.limit) throw this.malformed("it ends too early");
    return this.buf[this.pos]!;
  }

  /** Where `n` bytes start, which are now behind the cursor. */
  skip(n: number): number {
    const at = this.pos;
    if (n > this.limit - at) throw this.malformed(`${n} bytes are announced and ${this.limit - at} left`);
    this.pos = at + n;
    return at;
  }

  varint(): number {
    let byte = this.u8();
    if (byte < 0x80) return byte;
    let n = byte & 0x7f;
    let scale = 128;
    do {
      byte = this.u8();
      n += (byte & 0x7f) * scale;
      scale *= 128;
      if (scale > 2 ** 56 || n > Number.MAX_SAFE_INTEGER) throw this.malformed("a number is too large");
    } while (byte >= 0x80);
    return n;
  }

  /** A count of things that take at least `bytes` bytes each. */
  count(bytes = 1): number {
    const n = this.varint();
    if (n * bytes > this.limit - this.pos)
      throw this.malformed(`${n} parts are announced and ${this.remaining} bytes left`);
    return n;
  }

  enter(): void {
    if (this.depth >= this.limits.depth) {
      throw new SkyError("SKY_VALUE_LIMIT", `The value is nested more than ${this.limits.depth} levels deep.`);
    }
    this.depth++;
  }

  leave(): void {
    this.depth--;
  }

  /** Gives the next id to an object, in the order in which the encoder began them. */
  add<T>(object: T): T {
    this.refs.push(object);
    return object;
  }

  reserve(): number {
    return this.refs.push(PENDING) - 1;
  }

  fill(id: number, object: unknown): void {
    this.refs[id] = object;
  }

  ref(): unknown {
    const id = this.varint();
    if (id >= this.refs.length) throw this.malformed(`it refers to object ${id} of ${this.refs.length}`);
    const object = this.refs[id];
    if (object === PENDING) throw this.malformed("it refers to an object that is not complete");
    return object;
  }

  addShape(shape: Shape): void {
    if (shape.keys.length > MAX_SHAPE_KEYS) return;
    this.shapes[this.shapeCount & (SHAPE_SLOTS - 1)] = shape;
    this.shapeCount++;
  }

  shape(slot: number): Shape {
    const shape = this.shapes[slot];
    if (shape === undefined) throw this.malformed(`it uses the list of keys ${slot} before it is given`);
    if (shape.keys.length > this.limit - this.pos) throw this.malformed("it ends too early");
    return shape;
  }

  class(): ResolvedClass {
    const index = this.varint();
    const known = this.classes[index];
    if (known !== undefined) return known;
    if (index !== this.classes.length) throw this.malformed(`it uses the class ${index} before it is given`);
    const resolved = this.resolve(this.text());
    this.classes.push(resolved);
    return resolved;
  }

  /** A string where no other value is allowed. */
  text(): string {
    const text = this.value();
    if (typeof text !== "string") throw this.malformed("a text is expected");
    return text;
  }

  malformed(what: string, cause?: unknown): SkyError {
    const init = cause === undefined ? {} : { cause };
    return new SkyError("SKY_VALUE_MALFORMED", `The bytes are not a value: at ${this.pos}, ${what}.`, init);
  }

  private resolve(id: string): ResolvedClass {
    const entry = registeredId(id);
    const constructor = (entry?.constructor as AnyClass | undefined) ?? this.hooks.resolveClass?.(id);
    if (
      typeof constructor === "function" &&
      typeof constructor.prototype === "object" &&
      constructor.prototype !== null
    ) {
      return { id, constructor, codec: entry?.codec ?? ownCodec(constructor) };
    }
    throw new SkyError(
      "SKY_VALUE_UNSERIALIZABLE",
      `An instance of the class "${id}" arrived, which is not known here.`,
      {
        hint: "Call sky.register(Class) at the top level of a module that both ends load.",
        details: { type: id },
      },
    );
  }
}
