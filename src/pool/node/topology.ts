import { BlockList, isIP, isIPv6 } from "node:net";
import type { Node } from "./node.ts";

const HEAD_PORT = 29_500;

/** What a node shows of itself to the others. */
export type Placed = Pick<Node, "rank" | "machine" | "place">;

/** Fields of `InstanceInfo`, as TOPOLOGY brings them. */
interface Place {
  readonly node: number;
  readonly totalNodes: number;
  readonly totalAccelerators: number;
  readonly headAddr: string;
  readonly headPort: number;
  readonly jobId: string;
  readonly peers: readonly { readonly node: number; readonly privateIp: string; readonly publicIp: string | null }[];
}

/** What each node is told of its place among the others; sent again on every change. */
export function placeOf(node: Placed, nodes: readonly Placed[], totalNodes: number, jobId: string): Place {
  const head = nodes.find((one) => one.rank === 0);
  return {
    node: node.rank,
    totalNodes,
    totalAccelerators: nodes.reduce((sum, one) => sum + (one.place?.accelerators ?? 0), 0),
    headAddr: (head && privateIp(head)) ?? "127.0.0.1",
    headPort: HEAD_PORT,
    jobId,
    peers: nodes.flatMap((one) => {
      const own = privateIp(one);
      return own === undefined ? [] : [{ node: one.rank, privateIp: own, publicIp: publicIp(one) }];
    }),
  };
}

/** Where its peers reach it: what the controller knows, and for a mere name what the node itself says. */
function privateIp({ machine, place }: Placed): string | undefined {
  if (machine === undefined) return undefined;
  return isIP(machine.address) === 0 ? (place?.address ?? machine.address) : machine.address;
}

function publicIp({ machine }: Placed): string | null {
  const known = machine === undefined ? [] : [machine.host, machine.address];
  return known.find((one) => isIP(one) !== 0 && !LOCAL.check(one, isIPv6(one) ? "ipv6" : "ipv4")) ?? null;
}

/** Addresses that mean something only within one network. */
const LOCAL = new BlockList();
for (const [net, bits] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
] as const)
  LOCAL.addSubnet(net, bits, "ipv4");
for (const [net, bits] of [
  ["::1", 128],
  ["fc00::", 7],
  ["fe80::", 10],
] as const)
  LOCAL.addSubnet(net, bits, "ipv6");
