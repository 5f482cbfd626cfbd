import { readFileSync, statfsSync } from "node:fs";
import type { MetricSample, MetricSpec } from "../../metric-spec.ts";
import {
  type CpuTimes,
  cpuPercent,
  cpuTimes,
  limitedMemory,
  type Memory,
  networkBytes,
  round,
  systemMemory,
} from "./readings.ts";

const MEGABYTE = 1024 * 1024;

export type SystemSpec = Extract<
  MetricSpec,
  { kind: "cpu" | "memory" | "memoryUsed" | "memoryTotal" | "disk" | "networkRx" | "networkTx" }
>;

/** Reads the kernel's own files: no process, no library. */
export class SystemReader {
  #cpu: CpuTimes | undefined = cpuTimes(text("/proc/stat"));

  /** Undefined where this system does not tell. */
  read(spec: SystemSpec): MetricSample | undefined {
    switch (spec.kind) {
      case "cpu": {
        const before = this.#cpu;
        const now = cpuTimes(text("/proc/stat"));
        this.#cpu = now;
        return named("cpu", before && now ? cpuPercent(before, now) : undefined);
      }
      case "memory": {
        const memory = memoryNow();
        return named("mem", memory && round((100 * memory.usedBytes) / memory.totalBytes));
      }
      case "memoryUsed":
        return named("mem_used_mb", megabytes(memoryNow()?.usedBytes));
      case "memoryTotal":
        return named("mem_total_mb", megabytes(memoryNow()?.totalBytes));
      case "disk":
        return named(`disk_${spec.path}`, diskPercent(spec.path));
      case "networkRx":
      case "networkTx": {
        const way = spec.kind === "networkRx" ? "rx" : "tx";
        const bytes = networkBytes(text("/proc/net/dev"), spec.interface);
        return named(`net_${way}_${spec.interface ?? "all"}`, bytes?.[way]);
      }
    }
  }
}

function named(name: string, value: number | undefined): MetricSample | undefined {
  return value === undefined ? undefined : [name, value];
}

function megabytes(bytes: number | undefined): number | undefined {
  return bytes === undefined ? undefined : Math.round(bytes / MEGABYTE);
}

/** The container's, where it has a limit of its own (cgroup 2, then 1). */
function memoryNow(): Memory | undefined {
  const system = systemMemory(text("/proc/meminfo"));
  if (system === undefined) return undefined;
  const two = text("/sys/fs/cgroup/memory.max").trim();
  if (two !== "")
    return limitedMemory(system, two, text("/sys/fs/cgroup/memory.current"), inactive("/sys/fs/cgroup/memory.stat"));
  const one = "/sys/fs/cgroup/memory/memory";
  return limitedMemory(system, text(`${one}.limit_in_bytes`), text(`${one}.usage_in_bytes`), inactive(`${one}.stat`));
}

/** Pages of files that can go at once count as free. */
function inactive(path: string): number {
  return Number(/^(?:total_)?inactive_file (\d+)$/m.exec(text(path))?.[1] ?? 0);
}

function diskPercent(path: string): number | undefined {
  try {
    const { blocks, bfree, bavail } = statfsSync(path);
    const used = blocks - bfree;
    return used + bavail === 0 ? undefined : round((100 * used) / (used + bavail));
  } catch {
    return undefined;
  }
}

function text(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
