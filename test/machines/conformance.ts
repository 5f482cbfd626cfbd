import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, it } from "vitest";
import type * as sky from "skyward";
import { conformance as cases } from "../../src/conformance.ts";

/** `skyward/conformance` for a provider, with a ledger of its own. */
export function conformance(name: string, make: () => sky.CloudProvider | Promise<sky.CloudProvider>): void {
  describe.concurrent(`${name}: a provider that creates machines`, () => {
    const home = mkdtempSync(join(tmpdir(), "skyward-state-"));
    beforeAll(() => {
      process.env["XDG_STATE_HOME"] = home;
    });
    afterAll(() => rmSync(home, { recursive: true, force: true }));
    for (const one of cases(make, { limitMs: 60_000 })) it(one.name, { timeout: 120_000 }, one.run);
  });
}
