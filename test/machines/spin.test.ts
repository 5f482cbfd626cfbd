import { test } from "vitest";
import { spinning } from "./spin.ts";

const SPIN_MS = 20_000;

// On one core, so that this computer has another one. For 5 minutes on all: `npm run soak -- spin`.
test.concurrent.each(["thread", "process"] as const)(
  "nothing counts as dead while two tasks spin on each core: %s",
  { timeout: 120_000 },
  async (executor) => spinning(SPIN_MS, executor, { run: ["--cpuset-cpus", "0"] }),
);
