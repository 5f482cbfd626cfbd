import { describe, expect, it } from "vitest";
import { ByteWriter } from "./byte-writer.ts";
import { decode } from "./decode.ts";
import { encode } from "./encode.ts";
import type { AnyClass, DecodeHooks, EncodeHooks } from "./hooks.ts";
import { codec, register } from "./registry.ts";

function cross<T>(value: T, hooks?: EncodeHooks & DecodeHooks): T {
  const writer = new ByteWriter();
  encode(value, writer, hooks);
  return decode(writer.buf, 0, writer.pos, hooks) as T;
}

const byHook = (...classes: AnyClass[]): EncodeHooks & DecodeHooks => ({
  classOf: (o) =>
    classes.includes(o.constructor as unknown as AnyClass) ? { id: `app.js#${o.constructor.name}` } : undefined,
  resolveClass: (id) => classes.find((each) => id === `app.js#${each.name}`),
});

let built = 0;
class Vector {
  x: number;
  y: number;
  constructor(x: number, y: number) {
    built++;
    this.x = x;
    this.y = y;
  }
  get length(): number {
    return Math.hypot(this.x, this.y);
  }
}

class Account {
  #balance: number;
  constructor(balance: number) {
    this.#balance = balance;
  }
  get balance(): number {
    return this.#balance;
  }
}

describe("instances of a known class", () => {
  it("keep their class, and no constructor runs", () => {
    register(Vector);
    const vector = new Vector(3, 4);
    const before = built;
    const arrived = cross([vector, vector]);
    expect(arrived[0]).toBeInstanceOf(Vector);
    expect(arrived[0]!.length).toBe(5);
    expect(arrived[1]).toBe(arrived[0]);
    expect(built).toBe(before);
  });

  it("may be known by a hook", () => {
    class Local {
      list = [1];
    }
    const arrived = cross({ a: new Local() }, byHook(Local));
    expect(arrived.a).toBeInstanceOf(Local);
    expect(arrived.a.list).toEqual([1]);
  });

  it("may be in cycles", () => {
    class Node {
      next: Node | undefined;
    }
    const a = new Node();
    a.next = new Node();
    a.next.next = a;
    const arrived = cross(a, byHook(Node));
    expect(arrived.next!.next).toBe(arrived);
    expect(arrived.next).toBeInstanceOf(Node);
  });

  it("may extend built-in classes, with fields of their own", () => {
    class Registry extends Map<string, number> {
      title = "t";
    }
    class Row extends Array<number> {
      label = "r";
    }
    class Samples extends Float32Array {}
    const registry = new Registry([["a", 1]]);
    const hooks = byHook(Registry, Row, Samples);
    const arrived = cross({ registry, row: Row.from([1, 2]) as Row, samples: new Samples(2) }, hooks);
    expect(arrived.registry).toBeInstanceOf(Registry);
    expect([...arrived.registry]).toEqual([["a", 1]]);
    expect(arrived.registry.title).toBe("t");
    expect(arrived.row).toBeInstanceOf(Row);
    expect([...arrived.row, arrived.row.label]).toEqual([1, 2, "r"]);
    expect(arrived.samples).toBeInstanceOf(Samples);
  });

  it("set own fields even where the prototype has a setter", () => {
    let ran = 0;
    class Guarded {
      set value(_: number) {
        ran++;
      }
    }
    const guarded = new Guarded();
    Object.defineProperty(guarded, "value", { value: 7, enumerable: true });
    expect(Object.getOwnPropertyDescriptor(cross(guarded, byHook(Guarded)), "value")?.value).toBe(7);
    expect(ran).toBe(0);
  });

  it("are refused where the other end does not know the class", () => {
    class Lost {}
    const writer = new ByteWriter();
    encode(new Lost(), writer, byHook(Lost));
    expect(() => decode(writer.buf, 0, writer.pos)).toThrow(
      expect.objectContaining({
        code: "SKY_VALUE_UNSERIALIZABLE",
        message: expect.stringContaining("app.js#Lost") as string,
      }),
    );
  });
});

describe("private fields", () => {
  it("need a codec, and the refusal says so", () => {
    const attempt = (): unknown => cross([new Account(1)], byHook(Account));
    expect(attempt).toThrow(
      expect.objectContaining({
        code: "SKY_VALUE_UNSERIALIZABLE",
        hint: expect.stringContaining("[sky.codec]") as string,
      }),
    );
    class Savings extends Account {}
    expect(() => cross([new Savings(1)], byHook(Savings))).toThrow("private fields");
  });

  it("are not seen in texts and comments", () => {
    class Page {
      // this.#not
      selector = "main.#title";
    }
    expect(cross(new Page(), byHook(Page)).selector).toBe("main.#title");
  });

  it("cross by a registered codec, with identity", () => {
    register(Account, { encode: (a) => ({ cents: a.balance }), decode: ({ cents }) => new Account(cents) });
    const account = new Account(5);
    const [a, b] = cross([account, account]);
    expect(a.balance).toBe(5);
    expect(b).toBe(a);
  });

  it("cross by the class's own codec", () => {
    class Token {
      #text: string;
      constructor(text: string) {
        this.#text = text;
      }
      static [codec] = { encode: (t: Token) => t.#text, decode: (text: string) => new Token(text) };
      get text(): string {
        return this.#text;
      }
    }
    expect(() => cross(new Token("a"))).toThrow(
      "sky.register(Token)".replace("sky.register(Token)", "can't find the class"),
    );
    expect(cross(new Token("a"), byHook(Token)).text).toBe("a");
    register(Token);
    expect(cross(new Token("b")).text).toBe("b");
  });
});

describe("codecs", () => {
  class Celsius {
    degrees = 1;
  }

  it("that throw are named, on both ends", () => {
    const failing = {
      id: "celsius",
      encode: () => 1,
      decode: () => {
        throw new Error("too cold");
      },
    };
    register(Celsius, failing);
    expect(() => cross([new Celsius()])).toThrow(/celsius.*could not make/);
    register(Celsius, {
      ...failing,
      encode: () => {
        throw new Error("too hot");
      },
    });
    expect(() => cross([new Celsius()])).toThrow(/value\[0\] \(celsius\).*Error: too hot/);
  });

  it("can't hold the instance in its own state", () => {
    register(Celsius, { encode: (c) => ({ of: c }), decode: () => new Celsius() });
    expect(() => cross([new Celsius()])).toThrow("value[0][sky.codec].of");
  });

  it("are told apart by id where two classes share a name", () => {
    const make = (step: number): AnyClass =>
      step === 1
        ? class Model {
            one = 1;
          }
        : class Model {
            two = 2;
          };
    const [one, two] = [make(1), make(2)] as unknown as [new () => object, new () => object];
    register(one);
    register(two);
    expect(() => cross(new one())).toThrow('another class is registered as "Model"');
    expect(cross(new two())).toBeInstanceOf(two);
  });

  it("may be registered again when the same module is loaded again", () => {
    const load = (): new () => object => class Reloaded {};
    const [first, second] = [load(), load()];
    register(first);
    register(second);
    expect(cross(new first())).toBeInstanceOf(second);
  });

  it("are checked when they are registered", () => {
    const bad = { code: "SKY_BAD_OPTION" };
    expect(() => register(Celsius, { encode: () => 1 } as never)).toThrow(expect.objectContaining(bad));
    expect(() => register((() => class {})())).toThrow(expect.objectContaining(bad));
    expect(() => register({} as never)).toThrow(expect.objectContaining(bad));
  });
});
