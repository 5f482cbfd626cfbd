import type { InstanceFacts } from "./instance-info.ts";

/** The facts of a small local pool, with what a test says otherwise. */
export function facts(given: Partial<InstanceFacts> = {}): InstanceFacts {
  return {
    node: 0,
    worker: 0,
    totalNodes: 1,
    workersPerNode: 1,
    accelerators: 0,
    totalAccelerators: 0,
    headAddr: "127.0.0.1",
    headPort: 29_500,
    jobId: "job",
    peers: [],
    accelerator: null,
    network: { interface: null, bandwidthGbps: null },
    hostname: "here",
    ...given,
  };
}
