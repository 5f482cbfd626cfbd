import { SkyError } from "../../errors/sky-error.ts";
import { isError } from "../builtin-errors.ts";
import { functionRefusal, refusalOf } from "../describe.ts";
import type { AnyFunction } from "../hooks.ts";
import { isStackOverflow, Refusal, threw } from "../refusal.ts";
import { wellKnownName } from "../symbols.ts";
import * as tag from "../tags.ts";
import { writeArray } from "./arrays.ts";
import { writeError } from "./errors.ts";
import { beginInstance } from "./instances.ts";
import { foreignWriterFor, type Write, writerFor } from "./kinds.ts";
import { writeNullObject, writeObject } from "./objects.ts";
import { writeBigInt, writeNumber, writeString } from "./scalars.ts";
import { EncodeState } from "./state.ts";

const OBJECT = Object.prototype;
const ARRAY = Array.prototype;

export class Encoder extends EncodeState {
  value(value: unknown): void {
    switch (typeof value) {
      case "number":
        writeNumber(this.writer, value);
        return;
      case "string":
        writeString(this.writer, value);
        return;
      case "boolean":
        this.writer.u8(value ? tag.TRUE : tag.FALSE);
        return;
      case "undefined":
        this.writer.u8(tag.UNDEFINED);
        return;
      case "bigint":
        writeBigInt(this.writer, value);
        return;
      case "symbol":
        this.symbol(value);
        return;
      case "function":
        this.function(value as AnyFunction);
        return;
      default:
        if (value === null) this.writer.u8(tag.NULL);
        else if (this.lenient > 0) this.guarded(value as object);
        else this.object(value as object);
    }
  }

  private object(object: object): void {
    if (this.depth >= this.maxDepth) return this.tooDeep();
    if (this.back(object)) return;
    if (this.shared !== undefined && this.outside(object)) return;
    const prototype = Object.getPrototypeOf(object) as object | null;
    if (prototype === OBJECT) writeObject(this, object);
    else if (prototype === ARRAY && Array.isArray(object)) writeArray(this, object);
    else this.choose(object, prototype)(this, object);
  }

  private outside(object: object): boolean {
    const index = this.shared!(object);
    if (index === undefined) return false;
    this.writer.u8(tag.SHARED_VALUE);
    this.writer.varint(index);
    return true;
  }

  /** Returns and does not call, so that deep values take few frames of the stack. */
  private choose(object: object, prototype: object | null): Write {
    if (prototype === null) return writeNullObject;
    const write = writerFor(prototype) ?? beginInstance(this, object, prototype);
    if (write !== undefined) return write;
    if (isError(object)) return writeError;
    const foreign = foreignWriterFor(prototype);
    if (foreign === undefined) throw refusalOf(object);
    return foreign;
  }

  /** Inside an error: what fails before anything was written is replaced by words. */
  private guarded(object: object): void {
    const { pos } = this.writer;
    const { depth } = this;
    try {
      this.object(object);
    } catch (error) {
      if (this.writer.pos !== pos || error instanceof SkyError || isStackOverflow(error)) throw error;
      this.depth = depth;
      this.forget(object);
      this.refuse(error instanceof Refusal ? error : threw(error));
    }
  }

  private symbol(symbol: symbol): void {
    const key = Symbol.keyFor(symbol);
    const name = key === undefined ? wellKnownName(symbol) : undefined;
    if (key !== undefined) this.writer.u8(tag.SYMBOL);
    else if (name !== undefined) this.writer.u8(tag.SYMBOL_WELL_KNOWN);
    else {
      this.refuse(
        new Refusal(
          String(symbol),
          "it exists only in this process",
          `Use Symbol.for(${JSON.stringify(symbol.description ?? "name")}).`,
        ),
      );
      return;
    }
    writeString(this.writer, key ?? (name as string));
  }

  private function(fn: AnyFunction): void {
    if (this.depth >= this.maxDepth) return this.tooDeep();
    if (this.back(fn)) return;
    const state = this.hooks.function?.(fn);
    if (state === undefined) {
      this.forget(fn);
      return this.refuse(functionRefusal(fn));
    }
    this.writer.u8(tag.FUNCTION);
    this.opaque(fn, state);
  }

  private tooDeep(): void {
    if (this.lenient > 0) return this.refuse(new Refusal("", "too many levels deep"));
    const { depth } = this.limits;
    throw new SkyError("SKY_VALUE_LIMIT", `The value is nested more than ${depth} levels deep.`, {
      hint: "Flatten it: a long linked list travels better as an array.",
    });
  }
}
