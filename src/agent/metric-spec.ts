/** What a node's supervisor measures, as plain data. Intervals are in milliseconds. */
export type MetricSpec =
  | { readonly kind: "cpu" | "memory" | "memoryUsed" | "memoryTotal"; readonly intervalMs: number }
  | { readonly kind: "disk"; readonly path: string; readonly intervalMs: number }
  /** Left out `interface`: all but the loopback. */
  | { readonly kind: "networkRx" | "networkTx"; readonly interface?: string; readonly intervalMs: number }
  /** Left out `index`: each of them. */
  | {
      readonly kind: "gpu" | "gpuMemory" | "gpuMemoryTotal" | "gpuTemperature";
      readonly index?: number;
      readonly intervalMs: number;
    }
  /** A shell command that prints a number. */
  | { readonly kind: "custom"; readonly name: string; readonly command: string; readonly intervalMs: number };

/** A name and its value. */
export type MetricSample = readonly [name: string, value: number];
