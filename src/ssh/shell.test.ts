import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { quote } from "../image/quote.ts";
import { scriptCommand } from "./shell.ts";

const shells = ["sh", "bash"];

describe("shell words", () => {
  it.each(shells)("reach a program of %s as they are", (shell) => {
    const word = fc.string({ unit: "binary" }).filter((text) => !text.includes("\0"));
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 4 }), (words) => {
        const out = execFileSync(shell, ["-c", `printf '%s\\0' ${words.map(quote).join(" ")}`]);
        expect(out.toString().split("\0").slice(0, -1)).toEqual(words);
      }),
      { numRuns: 60 },
    );
  });

  it.each(shells)("a script on the stdin of %s leaves what follows it there", (shell) => {
    const script = "read -r line\necho \"line: $line\"\ncat\necho 'äöü' \"$(printf '%s' '$x')\"\n";
    const out = execFileSync(shell, ["-c", scriptCommand(script)], { input: `${script}first\nsecond\nthird` });
    expect(out.toString()).toBe("line: first\nsecond\nthirdäöü $x\n");
  });
});
