import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { conformance } from "../conformance.ts";
import { burrow } from "./burrow.ts";

const dir = mkdtempSync(join(tmpdir(), "burrow-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

conformance("a third person's provider", () => burrow({ dir }));
