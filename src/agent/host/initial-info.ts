import { hostname } from "node:os";
import type { InstanceFacts } from "../../task/instance-info.ts";
import type { HostConfig } from "../config.ts";

/** What a node knows of itself before the controller has told it of the others. */
export function initialInfo(config: HostConfig): InstanceFacts {
  return {
    node: config.rank,
    worker: 0,
    totalNodes: config.rank + 1,
    workersPerNode: 1,
    accelerators: 0,
    totalAccelerators: 0,
    headAddr: "127.0.0.1",
    headPort: 29_500,
    jobId: config.pool,
    peers: [],
    accelerator: null,
    network: { interface: null, bandwidthGbps: null },
    hostname: hostname(),
  };
}
