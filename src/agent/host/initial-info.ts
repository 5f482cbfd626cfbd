import { hostname } from "node:os";
import type { AcceleratorInfo, InstanceFacts } from "../../task/instance-info.ts";
import type { HostConfig } from "../config.ts";
import type { OwnNetwork } from "./own-network.ts";

/** What a node knows of itself before the controller has told it of the others. */
export function initialInfo(
  config: HostConfig,
  { interface: name, bandwidthGbps }: OwnNetwork,
  accelerator: AcceleratorInfo | null,
): InstanceFacts {
  const accelerators = accelerator?.count ?? 0;
  return {
    node: config.rank,
    worker: 0,
    totalNodes: config.rank + 1,
    workersPerNode: 1,
    accelerators,
    totalAccelerators: accelerators * (config.rank + 1),
    headAddr: "127.0.0.1",
    headPort: 29_500,
    jobId: config.pool,
    peers: [],
    accelerator,
    network: { interface: name, bandwidthGbps },
    hostname: hostname(),
  };
}
