import { join } from "node:path";
import { Piscina } from "piscina";

/** Piscina with two threads: as it comes, or with 16 tasks on each at once. */
export function piscina(concurrentTasksPerWorker = 1): Piscina {
  return new Piscina({
    filename: join(import.meta.dirname, "no-op.mjs"),
    minThreads: 2,
    maxThreads: 2,
    concurrentTasksPerWorker,
  });
}
