import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { build, hooks } from "../../test/vectors/values/build.ts";
import { difference } from "../../test/vectors/values/same.ts";
import { ByteWriter } from "./byte-writer.ts";
import { decode } from "./decode.ts";
import { encode } from "./encode.ts";

const folder = join(import.meta.dirname, "../../test/vectors/values");
const read = <T>(file: string): T[] => JSON.parse(readFileSync(join(folder, file), "utf8")) as T[];

describe("values.json", () => {
  for (const { name, hex, value } of read<{ name: string; hex: string; value: unknown }>("values.json")) {
    it(`encodes ${name}`, () => {
      const writer = new ByteWriter();
      encode(build(value), writer, hooks);
      expect(writer.take().toString("hex")).toBe(hex);
    });

    it(`decodes ${name}`, () => {
      const bytes = Buffer.from(hex, "hex");
      expect(difference(build(value), decode(bytes, 0, bytes.length, hooks))).toBeUndefined();
    });
  }
});

describe("malformed.json", () => {
  for (const { name, hex, code } of read<{ name: string; hex: string; code: string }>("malformed.json")) {
    it(`refuses ${name}`, () => {
      const bytes = Buffer.from(hex, "hex");
      expect(() => decode(bytes, 0, bytes.length, hooks)).toThrow(expect.objectContaining({ code }));
    });
  }
});
