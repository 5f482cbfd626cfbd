import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sanitize } from "./sanitize.ts";

const colors = { colors: true };

describe("sanitize", () => {
  it.each([
    ["plain", "plain äöü 漢字 😀\ttab\nline", "plain äöü 漢字 😀\ttab\nline"],
    ["a title", "\x1b]0;owned\x07text", "text"],
    ["a clipboard write ended by ST", "a\x1b]52;c;aGk=\x1b\\b", "ab"],
    ["a link", "\x1b]8;;http://x\x1b\\click\x1b]8;;\x1b\\", "click"],
    ["cursor moves and erase", "\x1b[2J\x1b[1;1Hhello\x1b[?25l", "hello"],
    ["a DCS string", "a\x1bPq#0;2;0\x1b\\b", "ab"],
    ["APC, PM and SOS strings", "a\x1b_x\x1b\\b\x1b^y\x1b\\c\x1bXz\x1b\\d", "abcd"],
    ["8-bit CSI and OSC", "a\x9b31mb\x9d0;t\x9cc", "abc"],
    ["reset and charsets", "\x1bca\x1b(Bb\x1b7", "ab"],
    ["an OSC without an end", "\x1b]0;rest is kept", "0;rest is kept"],
    ["a bell, backspaces, NUL", "a\x07b\x08c\x00d", "abcd"],
    ["a progress bar", "10%\r50%\r100%", "100%"],
    ["a progress bar that ends in a return", "10%\r50%\r", "50%"],
    ["Windows line ends", "a\r\nb\r\n", "a\nb\n"],
    ["turned text", "abc\u202edcba\u2066", "abcdcba"],
    ["an escape at the end", "a\x1b", "a"],
  ])("takes care of %s", (_name, text, clean) => {
    expect(sanitize(text)).toBe(clean);
  });

  it("keeps colours where they are wanted, and resets them at the end of the line", () => {
    expect(sanitize("\x1b[31mred\x1b[0m", colors)).toBe("\x1b[31mred\x1b[0m");
    expect(sanitize("\x1b[1;38;5;12mred\nnext", colors)).toBe("\x1b[1;38;5;12mred\x1b[0m\nnext");
    expect(sanitize("\x1b[31mred\x1b[0m")).toBe("red");
    expect(sanitize("\x1b[>4;2m\x1b[?1mx", colors)).toBe("x");
  });

  it("lets nothing else through, whatever is thrown at it", () => {
    const piece = fc.oneof(
      fc.constantFrom(
        "\x1b",
        "\x1b[",
        "\x1b]",
        "\x1bP",
        "\x1b\\",
        "\x07",
        "\x9b",
        "\x9c",
        "\x9d",
        "\x90",
        "\x9f",
        "\r",
        "\n",
        "m",
        ";",
        "31",
        "?",
        " ",
        "\x7f",
        "\x18",
      ),
      fc.string({ unit: "binary", maxLength: 4 }),
    );
    const text = fc.array(piece, { maxLength: 40 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, fc.boolean(), (dirty, keep) => {
        const clean = sanitize(dirty, { colors: keep });
        const left = keep ? clean.replaceAll(/\x1b\[[0-9;:]*m/g, "") : clean;
        expect(left).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
        expect(sanitize(clean, { colors: keep })).toBe(clean);
        expect(clean.split("\n").length).toBe(dirty.split("\n").length);
      }),
      { numRuns: 2000 },
    );
  });

  it("leaves text without control characters as it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        fc.pre(!/[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/.test(text));
        expect(sanitize(text)).toBe(text);
      }),
    );
  });

  it.each(["\x9d", "\x1b]", "\x1bP", "\x9b1", "\x1b[1", "\x1b ", "\r", "\x1b[31m"])(
    "takes time in proportion to the text: %j",
    (piece) => {
      const text = piece.repeat(1_000_000 / piece.length);
      const start = performance.now();
      sanitize(text, colors);
      expect(performance.now() - start).toBeLessThan(2000);
    },
  );
});
