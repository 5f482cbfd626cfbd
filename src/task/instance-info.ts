import { SkyError } from "../errors/sky-error.ts";

export interface PeerInfo {
  readonly node: number;
  /** Where the other nodes reach it. */
  readonly privateIp: string;
  /** Null where no address that the whole internet could reach is known. */
  readonly publicIp: string | null;
}

export interface AcceleratorInfo {
  /** Such as `A100`. */
  readonly type: string;
  /** On this node. May be a fraction. */
  readonly count: number;
  /** Of one of them, in GiB. */
  readonly memoryGb: number | null;
  readonly isTrainium: boolean;
}

export interface NetworkInfo {
  /** That of the default route, such as `eth0`. */
  readonly interface: string | null;
  /** As the kernel tells it; null where it does not know. */
  readonly bandwidthGbps: number | null;
}

/** What the controller tells a node about its place in the pool. Sent again on every change. */
export interface InstanceFacts {
  /** Rank of the node: 0 to `totalNodes - 1`. */
  readonly node: number;
  /** Index of the worker process within the node; 0 with threads. */
  readonly worker: number;
  readonly totalNodes: number;
  /** Worker processes on each node; 1 with threads. */
  readonly workersPerNode: number;
  /** Accelerators on this node, fractions included. */
  readonly accelerators: number;
  /** Accelerators of all nodes. */
  readonly totalAccelerators: number;
  /** Where nodes can meet: an address of the head that its peers reach. */
  readonly headAddr: string;
  readonly headPort: number;
  /** The same on all nodes of a pool, different between pools. */
  readonly jobId: string;
  readonly peers: readonly PeerInfo[];
  readonly accelerator: AcceleratorInfo | null;
  readonly network: NetworkInfo;
  readonly hostname: string;
}

/** A function's place in the pool. */
export interface InstanceInfo extends InstanceFacts {
  /** `node * workersPerNode + worker`: unique over the pool. */
  readonly globalWorkerIndex: number;
  /** `totalNodes * workersPerNode`. */
  readonly totalWorkers: number;
  /** True on exactly one worker of the pool: node 0, worker 0. */
  readonly isHead: boolean;
}

let known: InstanceInfo | undefined;

/** Sets what `instanceInfo` answers in this thread; what can be computed is. */
export function setInstanceInfo(facts: InstanceFacts | undefined): void {
  known =
    facts === undefined
      ? undefined
      : Object.freeze({
          ...facts,
          globalWorkerIndex: facts.node * facts.workersPerNode + facts.worker,
          totalWorkers: facts.totalNodes * facts.workersPerNode,
          isHead: facts.node === 0 && facts.worker === 0,
        });
}

/**
 * Where this function runs: rank, counts, head, peers. A snapshot; call it again to see a pool that was resized.
 * @throws SkyError SKY_NOT_IN_TASK outside a function that a pool runs
 */
export function instanceInfo(): InstanceInfo {
  if (known === undefined) throw new SkyError("SKY_NOT_IN_TASK", "sky.instanceInfo() was called outside a task.");
  return known;
}

/**
 * Whether this is the head: node 0 and worker 0, so exactly one worker of the pool.
 * @throws SkyError SKY_NOT_IN_TASK outside a function that a pool runs, unless `info` is given
 */
export function isHead(info: Pick<InstanceInfo, "node" | "worker"> = instanceInfo()): boolean {
  return info.node === 0 && info.worker === 0;
}
