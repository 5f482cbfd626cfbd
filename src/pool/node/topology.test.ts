import { expect, it } from "vitest";
import type { Machine } from "../../providers/provider.ts";
import { type Placed, placeOf } from "./topology.ts";

function node(rank: number, host: string, address: string, place: Placed["place"] = { accelerators: 0 }): Placed {
  return { rank, machine: { host, address } as Machine, place };
}

it("peers are known by the addresses at which they reach each other, and by public ones where there are", () => {
  const nodes = [
    node(0, "54.1.2.3", "10.0.0.5", { address: "10.0.0.5", accelerators: 8 }),
    node(1, "gpu-box", "gpu-box", { address: "192.168.1.9", accelerators: 0.5 }),
    node(2, "127.0.0.1", "172.17.0.3"),
    node(3, "other", "other"),
    { rank: 4, machine: undefined, place: undefined },
  ];
  const place = placeOf(nodes[1]!, nodes, 5, "job");
  expect(place).toEqual({
    node: 1,
    totalNodes: 5,
    totalAccelerators: 8.5,
    headAddr: "10.0.0.5",
    headPort: 29_500,
    jobId: "job",
    peers: [
      { node: 0, privateIp: "10.0.0.5", publicIp: "54.1.2.3" },
      { node: 1, privateIp: "192.168.1.9", publicIp: null },
      { node: 2, privateIp: "172.17.0.3", publicIp: null },
      { node: 3, privateIp: "other", publicIp: null },
    ],
  });
});

it("without a head machine its place is this computer", () => {
  expect(placeOf({ rank: 1, machine: undefined, place: undefined }, [], 2, "job").headAddr).toBe("127.0.0.1");
});
