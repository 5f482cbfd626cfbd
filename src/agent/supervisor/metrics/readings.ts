import type { MetricSample } from "../../metric-spec.ts";

/** Clock ticks since boot, of all cores together. */
export interface CpuTimes {
  readonly busy: number;
  readonly all: number;
}

/** From the text of /proc/stat. */
export function cpuTimes(text: string): CpuTimes | undefined {
  const line = /^cpu +(.*)$/m.exec(text)?.[1];
  if (line === undefined) return undefined;
  // The guests' time is part of the users' already.
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softirq = 0, steal = 0] = line
    .split(" ")
    .map(Number);
  const busy = user + nice + system + irq + softirq + steal;
  return { busy, all: busy + idle + wait };
}

/** The share of time that was worked between two readings, in per cent. */
export function cpuPercent(before: CpuTimes, now: CpuTimes): number | undefined {
  const all = now.all - before.all;
  return all <= 0 ? undefined : round((100 * (now.busy - before.busy)) / all);
}

export interface Memory {
  readonly usedBytes: number;
  readonly totalBytes: number;
}

/** From the text of /proc/meminfo; used is what is not available to a new program. */
export function systemMemory(text: string): Memory | undefined {
  const kilobytes = (name: string): number => Number(new RegExp(`^${name}: +(\\d+) kB$`, "m").exec(text)?.[1]);
  const [total, available] = [kilobytes("MemTotal"), kilobytes("MemAvailable")];
  if (!Number.isFinite(total) || !Number.isFinite(available)) return undefined;
  return { usedBytes: (total - available) * 1024, totalBytes: total * 1024 };
}

/** A container's own memory, where its limit is below the machine's. */
export function limitedMemory(system: Memory, limit: string, usage: string, inactiveFileBytes: number): Memory {
  const totalBytes = Number(limit);
  if (!(totalBytes > 0 && totalBytes < system.totalBytes)) return system;
  return { usedBytes: Math.max(0, Number(usage) - inactiveFileBytes), totalBytes };
}

/** Bytes since boot from the text of /proc/net/dev: of one interface, or of all but the loopback. */
export function networkBytes(text: string, name: string | undefined): { rx: number; tx: number } | undefined {
  let found: { rx: number; tx: number } | undefined;
  for (const line of text.split("\n").slice(2)) {
    const match = /^\s*([^:\s]+):\s*(.*)$/.exec(line);
    if (match === null || (name === undefined ? match[1] === "lo" : match[1] !== name)) continue;
    const fields = match[2]!.trim().split(/\s+/).map(Number);
    found ??= { rx: 0, tx: 0 };
    found.rx += fields[0] ?? 0;
    found.tx += fields[8] ?? 0;
  }
  return found;
}

/** What one line of `nvidia-smi --query-gpu=index,utilization.gpu,memory.used,memory.total,temperature.gpu` says. */
export interface GpuReading {
  readonly index: number;
  readonly gpu: number;
  readonly gpuMemory: number;
  readonly gpuMemoryTotal: number;
  readonly gpuTemperature: number;
}

export function gpuReading(line: string): GpuReading | undefined {
  const fields = line.split(",").map((field) => Number(field.trim()));
  const [index, gpu, gpuMemory, gpuMemoryTotal, gpuTemperature] = fields;
  if (fields.length !== 5 || index === undefined || !Number.isInteger(index)) return undefined;
  return {
    index,
    gpu: gpu!,
    gpuMemory: gpuMemory!,
    gpuMemoryTotal: gpuMemoryTotal!,
    gpuTemperature: gpuTemperature!,
  };
}

/** A custom command's line: a number, or nothing. */
export function customValue(name: string, line: string): MetricSample | undefined {
  const text = line.trim();
  const value = Number(text);
  return text === "" || !Number.isFinite(value) ? undefined : [name, value];
}

export function round(value: number): number {
  return Math.round(value * 100) / 100;
}
