import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ERROR_CODES, hintOf } from "./codes.ts";

const pages = join(import.meta.dirname, "../../docs/errors");

describe("error codes", () => {
  it("each have a page, and no page is left over", () => {
    const names = readdirSync(pages).map((file) => file.replace(/\.md$/, ""));
    expect(names.sort()).toEqual([...ERROR_CODES].sort());
  });

  it.each(ERROR_CODES)("%s: the page says what it means, shows it, and says what to do", (code) => {
    const page = readFileSync(join(pages, `${code}.md`), "utf8");
    expect(page).toMatch(new RegExp(`^# ${code}\n\n\\S`));
    expect(page).toMatch(/```ts\n[^`]+\n```/);
    expect(page).toMatch(/## What to do\n\n\S/);
  });

  it.each(ERROR_CODES)("%s has a hint that is a sentence", (code) => {
    expect(hintOf(code)).toMatch(/^[A-Z].{10,}[.)a-z]$/s);
  });
});
