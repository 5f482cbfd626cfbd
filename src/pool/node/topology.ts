import type { Node } from "./node.ts";

const HEAD_PORT = 29_500;

/** What each node is told of its place among the others; sent again on every change. */
export function placeOf(node: Node, nodes: readonly Node[], totalNodes: number, jobId: string): object {
  const head = nodes.find((one) => one.rank === 0);
  return {
    node: node.rank,
    totalNodes,
    headAddr: head?.machine?.address ?? "127.0.0.1",
    headPort: HEAD_PORT,
    jobId,
    peers: nodes
      .filter((one) => one.machine)
      .map((one) => ({ node: one.rank, privateIp: one.machine!.address, publicIp: one.machine!.address })),
  };
}
