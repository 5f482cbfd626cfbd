import { describe, expect, it } from "vitest";
import {
  cpuPercent,
  cpuTimes,
  customValue,
  gpuReading,
  limitedMemory,
  networkBytes,
  systemMemory,
} from "./readings.ts";

describe("readings", () => {
  it("cpu: the share of worked time between two readings", () => {
    const before = cpuTimes("cpu  100 0 100 800 0 0 0 0 50 0\ncpu0 1 2 3 4\n")!;
    const now = cpuTimes("cpu  150 0 150 900 0 0 0 0 50 0\n")!;
    expect(before).toEqual({ busy: 200, all: 1000 });
    expect(cpuPercent(before, now)).toBe(50);
    expect(cpuPercent(now, now)).toBeUndefined();
    expect(cpuTimes("")).toBeUndefined();
  });

  it("memory: what is not available, of the machine or of the container", () => {
    const system = systemMemory("MemTotal:       1000 kB\nMemFree: 10 kB\nMemAvailable:    250 kB\n")!;
    expect(system).toEqual({ usedBytes: 750 * 1024, totalBytes: 1000 * 1024 });
    expect(limitedMemory(system, "max", "5", 0)).toBe(system);
    expect(limitedMemory(system, "", "", 0)).toBe(system);
    expect(limitedMemory(system, "9223372036854771712", "5", 0)).toBe(system);
    expect(limitedMemory(system, "4096", "3000", 1000)).toEqual({ usedBytes: 2000, totalBytes: 4096 });
    expect(systemMemory("")).toBeUndefined();
  });

  it("network: one interface, or all but the loopback", () => {
    const text = `Inter-|   Receive                          |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets
    lo:  100 1 0 0 0 0 0 0 100 1 0 0 0 0 0 0
  eth0: 2000 9 0 0 0 0 0 0 300 5 0 0 0 0 0 0
  eth1:   20 9 0 0 0 0 0 0   3 5 0 0 0 0 0 0
`;
    expect(networkBytes(text, undefined)).toEqual({ rx: 2020, tx: 303 });
    expect(networkBytes(text, "eth1")).toEqual({ rx: 20, tx: 3 });
    expect(networkBytes(text, "wlan0")).toBeUndefined();
  });

  it("gpu: a line of nvidia-smi; a value that it does not tell is no number", () => {
    const reading = { index: 1, gpu: 97, gpuMemory: 40_000, gpuMemoryTotal: 81_559, gpuTemperature: 66 };
    expect(gpuReading("1, 97, 40000, 81559, 66")).toEqual(reading);
    expect(gpuReading("0, [N/A], 1, 2, 3")?.gpu).toBeNaN();
    expect(gpuReading("No devices were found")).toBeUndefined();
  });

  it("custom: a number, or nothing", () => {
    expect(customValue("queue", " 4.5 \n")).toEqual(["queue", 4.5]);
    expect(customValue("queue", "four")).toBeUndefined();
    expect(customValue("queue", "")).toBeUndefined();
  });
});
