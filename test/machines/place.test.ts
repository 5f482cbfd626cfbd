import { describe, expect, it } from "vitest";
import * as sky from "skyward";
import { Rig } from "../rig/rig.ts";

/** The head waits at its address until all others have come; each of them says how often it had to try. */
const meet = sky.fn(async () => {
  const { isHead, headAddr, headPort, totalNodes, node } = sky.instanceInfo();
  const { connect, createServer } = await import("node:net");
  if (isHead) {
    const seen: number[] = [];
    await new Promise<void>((resolve) => {
      const server = createServer((socket) => {
        socket.on("data", (data: Buffer) => {
          seen.push(Number(data.toString()));
          socket.end("welcome");
          if (seen.length === totalNodes - 1) server.close(() => resolve());
        });
      }).listen(headPort, headAddr);
    });
    return seen;
  }
  for (;;) {
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(headPort, headAddr, () => socket.write(String(node)));
      socket.once("data", (data: Buffer) => resolve(data.toString())).once("error", () => resolve(""));
    });
    if (answer !== "") return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
});

describe("a function's place among machines", () => {
  it("is complete, true on each machine, and lets them meet at the head", async () => {
    await using rig = await Rig.start({ machines: 2 });
    const options = { provider: sky.ssh(rig.ssh), console: "silent" as const };
    const addresses = rig.machines.map(({ address }) => address);
    const jobs = await sky.compute(options, async (pool) => {
      const infos = await pool.broadcast(sky.fn(() => sky.instanceInfo())());
      for (const [rank, info] of infos.entries()) {
        const machine = rig.machines[rank]!;
        expect(info).toEqual({
          node: rank,
          worker: 0,
          totalNodes: 2,
          workersPerNode: 1,
          globalWorkerIndex: rank,
          totalWorkers: 2,
          isHead: rank === 0,
          headAddr: addresses[0],
          headPort: 29_500,
          jobId: infos[0]!.jobId,
          peers: addresses.map((privateIp, node) => ({ node, privateIp, publicIp: null })),
          accelerators: 0,
          totalAccelerators: 0,
          accelerator: null,
          network: {
            interface: "eth0",
            bandwidthGbps: Number(await machine.exec("cat", "/sys/class/net/eth0/speed")) / 1000,
          },
          hostname: await machine.exec("hostname"),
        });
      }
      expect(await pool.broadcast(meet())).toEqual([[1], "welcome"]);
      return infos.map(({ jobId }) => jobId);
    });
    const other = await sky.compute(
      { ...options, worker: { concurrency: 2, executor: "process", buffer: 0 } },
      async (pool) =>
        await pool.map(
          sky.fn(async (_: number) => {
            await new Promise((resolve) => setTimeout(resolve, 300));
            return sky.instanceInfo();
          }),
          [1, 2, 3, 4],
        ),
    );
    expect(new Set([...jobs, ...other.map(({ jobId }) => jobId)]).size).toBe(2);
    for (const info of other) expect([info.workersPerNode, info.totalWorkers]).toEqual([2, 4]);
    expect(other.map(({ node, worker }) => node * 2 + worker).sort((a, b) => a - b)).toEqual([0, 1, 2, 3]);
    expect(other.map((info) => info.globalWorkerIndex).sort((a, b) => a - b)).toEqual([0, 1, 2, 3]);
    expect(other.filter((info) => info.isHead)).toHaveLength(1);
  });
});
