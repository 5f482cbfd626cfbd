import type { MetricSpec } from "../agent/metric-spec.ts";
import { didYouMean } from "../errors/nearest.ts";
import { SkyError } from "../errors/sky-error.ts";
import { parseDuration } from "../function/duration.ts";

export interface Interval {
  /** Time between two samples. @default "2s" for CPU and memory, "3s" for GPU and network, "5s" for disks, "60s" for totals */
  readonly interval?: string;
}

/** A collector: what the nodes measure of themselves. Each sample is an event `Metric.Sampled`. */
export type Metric = MetricSpec;

const SHORTEST_MS = 100;

/** @throws SkyError SKY_BAD_OPTION for what is no object, and for a name that is not among `names` */
function checked<T extends object>(collector: string, options: T | undefined, names: readonly string[]): Partial<T> {
  if (options === undefined) return {};
  if (typeof options !== "object" || options === null)
    throw new SkyError(
      "SKY_BAD_OPTION",
      `the options of metrics.${collector} must be an object such as { interval: "1s" }; got ${JSON.stringify(options)}`,
    );
  for (const name of Object.keys(options)) {
    if (!names.includes(name))
      throw new SkyError(
        "SKY_BAD_OPTION",
        `metrics.${collector} has no option "${name}"${didYouMean(name, names) || `; there is ${names.join(", ")}.`}`,
      );
  }
  return options;
}

/** Work of all cores, in per cent: `cpu`. */
export const CPU = (options?: Interval): Metric => ({ kind: "cpu", intervalMs: every("CPU", options, 2000) });
/** Used memory in per cent, of the container where it has a limit: `mem`. */
export const Memory = (options?: Interval): Metric => ({ kind: "memory", intervalMs: every("Memory", options, 2000) });
/** Used memory in MB: `mem_used_mb`. */
export const MemoryUsed = (options?: Interval): Metric => ({
  kind: "memoryUsed",
  intervalMs: every("MemoryUsed", options, 2000),
});
/** All memory in MB: `mem_total_mb`. */
export const MemoryTotal = (options?: Interval): Metric => ({
  kind: "memoryTotal",
  intervalMs: every("MemoryTotal", options, 60_000),
});
/** How full the disk of a path is, in per cent: `disk_/data`. @param path @default "/" */
export const Disk = (path = "/", options?: Interval): Metric => {
  if (typeof path !== "string" || !path.startsWith("/"))
    throw new SkyError(
      "SKY_BAD_OPTION",
      `metrics.Disk takes an absolute path such as "/data"; got ${JSON.stringify(path)}`,
    );
  return { kind: "disk", path, intervalMs: every("Disk", options, 5000) };
};
export interface NetworkOptions extends Interval {
  /** Such as "eth0". @default all but the loopback */
  readonly interface?: string;
}
/** Bytes received since the machine started: `net_rx_eth0`, or `net_rx_all`. */
export const NetworkRx = (options?: NetworkOptions): Metric => network("NetworkRx", options);
/** Bytes sent since the machine started: `net_tx_eth0`, or `net_tx_all`. */
export const NetworkTx = (options?: NetworkOptions): Metric => network("NetworkTx", options);
export interface GpuOptions extends Interval {
  /** One of them. @default each */
  readonly index?: number;
}
/** Work of each NVIDIA GPU in per cent: `gpu_util_0`. */
export const GPU = (options?: GpuOptions): Metric => gpu("GPU", "gpu", 3000, options);
/** Used memory of each GPU in MB: `gpu_mem_mb_0`. */
export const GPUMemory = (options?: GpuOptions): Metric => gpu("GPUMemory", "gpuMemory", 3000, options);
/** Memory of each GPU in MB: `gpu_mem_total_mb_0`. */
export const GPUMemoryTotal = (options?: GpuOptions): Metric =>
  gpu("GPUMemoryTotal", "gpuMemoryTotal", 60_000, options);
/** Temperature of each GPU in degrees Celsius: `gpu_temp_0`. */
export const GPUTemp = (options?: GpuOptions): Metric => gpu("GPUTemp", "gpuTemperature", 3000, options);

/** A number that a shell command prints. @param interval @default "3s" */
export const Custom = (name: string, command: string, options?: Interval): Metric => {
  if (typeof name !== "string" || !/^[\w./:-]{1,64}$/.test(name))
    throw new SkyError(
      "SKY_BAD_OPTION",
      `metrics.Custom takes a name of up to 64 letters, digits, dots and dashes; got ${JSON.stringify(name)}`,
    );
  if (typeof command !== "string" || command.trim() === "" || command.includes("\0"))
    throw new SkyError(
      "SKY_BAD_OPTION",
      `metrics.Custom("${name}") takes a shell command; got ${JSON.stringify(command)}`,
    );
  return { kind: "custom", name, command, intervalMs: every("Custom", options, 3000) };
};

export interface DefaultOptions {
  readonly cpuInterval?: string;
  readonly memoryInterval?: string;
  readonly gpuInterval?: string;
}

/** CPU, memory and GPUs. */
export function Default(options?: DefaultOptions): readonly Metric[] {
  const names = ["cpuInterval", "memoryInterval", "gpuInterval"];
  const { cpuInterval, memoryInterval, gpuInterval } = checked("Default", options, names);
  const of = (interval: string | undefined): Interval => (interval === undefined ? {} : { interval });
  return [
    CPU(of(cpuInterval)),
    Memory(of(memoryInterval)),
    MemoryUsed(of(memoryInterval)),
    MemoryTotal(),
    GPU(of(gpuInterval)),
    GPUMemory(of(gpuInterval)),
    GPUMemoryTotal(),
    GPUTemp(of(gpuInterval)),
  ];
}

function network(collector: "NetworkRx" | "NetworkTx", options: NetworkOptions | undefined): Metric {
  const { interface: name } = checked(collector, options, ["interface", "interval"]);
  if (name !== undefined && !(typeof name === "string" && /^[^\s/:]{1,15}$/.test(name)))
    throw new SkyError(
      "SKY_BAD_OPTION",
      `metrics.${collector} takes an interface such as "eth0"; got ${JSON.stringify(name)}`,
    );
  const kind = collector === "NetworkRx" ? "networkRx" : "networkTx";
  return {
    kind,
    ...(name !== undefined && { interface: name }),
    intervalMs: every(collector, options, 3000, ["interface"]),
  };
}

function gpu(
  collector: string,
  kind: "gpu" | "gpuMemory" | "gpuMemoryTotal" | "gpuTemperature",
  usualMs: number,
  options: GpuOptions | undefined,
): Metric {
  const { index } = checked(collector, options, ["index", "interval"]);
  if (index !== undefined && !(Number.isInteger(index) && index >= 0))
    throw new SkyError(
      "SKY_BAD_OPTION",
      `metrics.${collector} takes the index of a GPU such as 0; got ${JSON.stringify(index)}`,
    );
  return { kind, ...(index !== undefined && { index }), intervalMs: every(collector, options, usualMs, ["index"]) };
}

function every(
  collector: string,
  options: Interval | undefined,
  usualMs: number,
  others: readonly string[] = [],
): number {
  const { interval } = checked(collector, options, ["interval", ...others]);
  if (interval === undefined) return usualMs;
  const ms = parseDuration(interval, "interval");
  if (ms < SHORTEST_MS)
    throw new SkyError("SKY_BAD_OPTION", `interval is "${interval}": the shortest is "${SHORTEST_MS}ms"`);
  return ms;
}
