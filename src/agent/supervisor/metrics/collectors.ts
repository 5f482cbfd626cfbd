import type { MetricSample, MetricSpec } from "../../metric-spec.ts";
import { Custom } from "./custom.ts";
import { PrintingProcess } from "./printing.ts";
import { gpuReading } from "./readings.ts";
import { SystemReader, type SystemSpec } from "./system.ts";

type GpuSpec = Extract<MetricSpec, { kind: "gpu" | "gpuMemory" | "gpuMemoryTotal" | "gpuTemperature" }>;

const GPU_FIELDS = "index,utilization.gpu,memory.used,memory.total,temperature.gpu";
const GPU_NAMES = {
  gpu: "gpu_util",
  gpuMemory: "gpu_mem_mb",
  gpuMemoryTotal: "gpu_mem_total_mb",
  gpuTemperature: "gpu_temp",
} as const;

export interface CollectorsOptions {
  readonly specs: readonly MetricSpec[];
  readonly send: (samples: readonly MetricSample[]) => void;
  /** What can't be measured, in words; told once for each collector. */
  readonly problem: (words: string) => void;
}

/**
 * Measures the node, from the time that somebody listens: the system by reading files, the GPUs by one `nvidia-smi` that
 * goes on, each command of the user's by one shell that goes on.
 */
export class Collectors implements Disposable {
  readonly #options: CollectorsOptions;
  readonly #reader = new SystemReader();
  readonly #system: SystemSpec[] = [];
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #processes: PrintingProcess[] = [];
  readonly #customs: Custom[] = [];
  /** When each was sent last, ms of this process. */
  readonly #sentAt = new Map<string, number>();
  readonly #told = new Set<string>();
  #begun = false;

  constructor(options: CollectorsOptions) {
    this.#options = options;
  }

  /** Somebody listens from now on, who knows nothing yet: everything is measured at once. */
  listened(): void {
    this.#sentAt.clear();
    if (!this.#begun) return this.#begin();
    this.#read(this.#system);
    for (const custom of this.#customs) custom.sample();
  }

  #begin(): void {
    this.#begun = true;
    const groups = new Map<number, SystemSpec[]>();
    const gpus: GpuSpec[] = [];
    const { specs, send, problem } = this.#options;
    for (const spec of specs) {
      if (spec.kind === "custom")
        this.#customs.push(new Custom({ ...spec, problem, send: (sample) => send([sample]) }));
      else if (isGpu(spec)) gpus.push(spec);
      else {
        this.#system.push(spec);
        groups.set(spec.intervalMs, [...(groups.get(spec.intervalMs) ?? []), spec]);
      }
    }
    for (const [intervalMs, group] of groups)
      this.#timers.push(setInterval(() => this.#read(group), intervalMs).unref());
    this.#read(this.#system);
    if (gpus.length > 0) this.#gpus(gpus);
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearInterval(timer);
    for (const one of [...this.#processes, ...this.#customs]) one[Symbol.dispose]();
  }

  #read(group: readonly SystemSpec[]): void {
    const samples = group.flatMap((spec) => {
      const sample = this.#reader.read(spec);
      if (sample === undefined) this.#missing(spec);
      return sample === undefined ? [] : [sample];
    });
    if (samples.length > 0) this.#options.send(samples);
  }

  #missing(spec: SystemSpec): void {
    const what =
      spec.kind === "disk"
        ? `disk_${spec.path}: there is no such folder`
        : "interface" in spec
          ? `${spec.kind} of ${spec.interface}: there is no such network interface`
          : undefined;
    if (what === undefined || this.#told.has(what)) return;
    this.#told.add(what);
    this.#options.problem(`the metric ${what}`);
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
      new PrintingProcess({
        command: command as [string, ...string[]],
        againMs: everyMs,
        onLine: (line) => {
          const reading = gpuReading(line);
          if (reading === undefined) return false;
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
          if (samples.length > 0) this.#options.send(samples);
          return true;
        },
      }),
    );
  }
}

function isGpu(spec: MetricSpec): spec is GpuSpec {
  return Object.hasOwn(GPU_NAMES, spec.kind);
}
