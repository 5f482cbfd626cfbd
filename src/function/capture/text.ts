import type { LoadedModule } from "./loaded-module.ts";
import { Lines } from "./lines.ts";
import type { Place } from "./source-map.ts";

interface Segment {
  /** Offset in the emitted text. */
  readonly at: number;
  readonly length: number;
  readonly module: LoadedModule;
  /** Offset in the module's loaded text. */
  readonly from: number;
}

/** A text made of our own words and of stretches of loaded modules, which knows where each stretch came from. */
export class EmittedText {
  #text = "";
  readonly #segments: Segment[] = [];

  add(text: string): this {
    this.#text += text;
    return this;
  }

  copy(module: LoadedModule, from: number, to: number): this {
    if (to > from) this.#segments.push({ at: this.#text.length, length: to - from, module, from });
    this.#text += module.source.slice(from, to);
    return this;
  }

  toString(): string {
    return this.#text;
  }

  /** A function from positions in the text (counted from 0) to what the user wrote. */
  places(): (line: number, column: number) => Place | undefined {
    const lines = new Lines(this.#text);
    const segments = this.#segments;
    return (line, column) => {
      const offset = lines.offset(line, column);
      const segment = segments.findLast((item) => item.at <= offset);
      if (segment === undefined || offset > segment.at + segment.length) return undefined;
      return segment.module.original(segment.from + (offset - segment.at));
    };
  }
}
