import type { MetricSample, MetricSpec } from "../../metric-spec.ts";
import { PrintingProcess } from "./printing.ts";
import { customValue, gpuReading } from "./readings.ts";
import { SystemReader, type SystemSpec } from "./system.ts";

type GpuSpec = Extract<MetricSpec, { kind: "gpu" | "gpuMemory" | "gpuMemoryTotal" | "gpuTemperature" }>;

const GPU_FIELDS = "index,utilization.gpu,memory.used,memory.total,temperature.gpu";
const GPU_NAMES = {
  gpu: "gpu_util",
  gpuMemory: "gpu_mem_mb",
  gpuMemoryTotal: "gpu_mem_total_mb",
  gpuTemperature: "gpu_temp",
} as const;

/**
 * Measures the node: the system by reading files, the GPUs by one `nvidia-smi` that goes on, each command of the user's
 * by one shell that goes on.
 */
export class Collectors implements Disposable {
  readonly #send: (samples: readonly MetricSample[]) => void;
  readonly #reader = new SystemReader();
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #processes: PrintingProcess[] = [];
  /** When each was sent last, ms of this process. */
  readonly #sentAt = new Map<string, number>();

  constructor(specs: readonly MetricSpec[], send: (samples: readonly MetricSample[]) => void) {
    this.#send = send;
    const system = new Map<number, SystemSpec[]>();
    const gpus: GpuSpec[] = [];
    for (const spec of specs) {
      if (spec.kind === "custom") this.#custom(spec.name, spec.command, spec.intervalMs);
      else if (isGpu(spec)) gpus.push(spec);
      else system.set(spec.intervalMs, [...(system.get(spec.intervalMs) ?? []), spec]);
    }
    for (const [intervalMs, group] of system) {
      this.#timers.push(setInterval(() => this.#read(group), intervalMs).unref());
    }
    if (gpus.length > 0) this.#gpus(gpus);
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearInterval(timer);
    for (const one of this.#processes) one[Symbol.dispose]();
  }

  #read(group: readonly SystemSpec[]): void {
    const samples = group.flatMap((spec) => {
      const sample = this.#reader.read(spec);
      return sample === undefined ? [] : [sample];
    });
    if (samples.length > 0) this.#send(samples);
  }

  #gpus(specs: readonly GpuSpec[]): void {
    const everyMs = Math.min(...specs.map(({ intervalMs }) => intervalMs));
    const command = [
      "nvidia-smi",
      `--query-gpu=${GPU_FIELDS}`,
      "--format=csv,noheader,nounits",
      `-lms`,
      String(everyMs),
    ];
    this.#processes.push(
      new PrintingProcess(command as [string, ...string[]], (line) => {
        const reading = gpuReading(line);
        if (reading === undefined) return;
        const now = performance.now();
        const samples = specs.flatMap(({ kind, index, intervalMs }): MetricSample[] => {
          if (index !== undefined && index !== reading.index) return [];
          const name = `${GPU_NAMES[kind]}_${reading.index}`;
          const value = reading[kind];
          // The process prints as often as the most eager of them wants; half a turn is for its own unevenness.
          if (!Number.isFinite(value) || now - (this.#sentAt.get(name) ?? -Infinity) < intervalMs - everyMs / 2)
            return [];
          this.#sentAt.set(name, now);
          return [[name, value]];
        });
        if (samples.length > 0) this.#send(samples);
      }),
    );
  }

  #custom(name: string, command: string, intervalMs: number): void {
    const loop = 'while :; do sh -c "$1" </dev/null 2>/dev/null | tail -n 1; sleep "$2"; done';
    this.#processes.push(
      new PrintingProcess(["sh", "-c", loop, "sh", command, String(intervalMs / 1000)], (line) => {
        const sample = customValue(name, line);
        if (sample !== undefined) this.#send([sample]);
      }),
    );
  }
}

function isGpu(spec: MetricSpec): spec is GpuSpec {
  return Object.hasOwn(GPU_NAMES, spec.kind);
}
