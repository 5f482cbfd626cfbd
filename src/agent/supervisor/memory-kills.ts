import { readFileSync } from "node:fs";

/** Where the kernel counts what it killed for want of memory: the machine's own group of processes, then all. */
const COUNTS = ["/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control", "/proc/vmstat"];

/** How many processes the kernel has killed here because there was no memory left; undefined where it does not say. */
export function memoryKills(
  read: (file: string) => string = (file) => readFileSync(file, "latin1"),
): number | undefined {
  for (const file of COUNTS) {
    try {
      const count = /^oom_kill (\d+)$/m.exec(read(file))?.[1];
      if (count !== undefined) return Number(count);
    } catch {
      // Another kind of kernel.
    }
  }
  return undefined;
}
