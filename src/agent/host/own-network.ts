import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import type { NetworkInfo } from "../../task/instance-info.ts";

export interface OwnNetwork extends NetworkInfo {
  /** IPv4 address of this machine there. */
  readonly address: string | undefined;
}

/** The interface by which this machine reaches others: that of its default route, else the first with an address. */
export function ownNetwork(): OwnNetwork {
  const all = networkInterfaces();
  const there = Object.entries(all).flatMap(([name, addresses = []]) => {
    const address = addresses.find((one) => !one.internal && one.family === "IPv4")?.address;
    return address === undefined ? [] : [{ name, address }];
  });
  const byRoute = defaultRoute(text("/proc/net/route"));
  const found = there.find(({ name }) => name === byRoute) ?? there[0];
  const name = byRoute ?? found?.name ?? null;
  return {
    interface: name,
    bandwidthGbps: name === null ? null : gigabits(text(`/sys/class/net/${name}/speed`)),
    address: found?.address,
  };
}

/** The interface of the default route with the lowest metric, of `/proc/net/route`. */
export function defaultRoute(table: string): string | undefined {
  const routes = table
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const [name = "", destination, , flags = "0", , , metric, mask] = line.trim().split(/\s+/);
      // Flag 1: the route is up.
      const isDefault = destination === "00000000" && mask === "00000000" && (Number.parseInt(flags, 16) & 1) === 1;
      return isDefault ? [{ name, metric: Number(metric) }] : [];
    });
  return routes.sort((a, b) => a.metric - b.metric)[0]?.name;
}

/** What the kernel tells in Mbit/s; nothing, or -1, where it does not know. */
export function gigabits(speed: string): number | null {
  const megabits = Number(speed.trim() || "-1");
  return megabits > 0 ? megabits / 1000 : null;
}

function text(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
