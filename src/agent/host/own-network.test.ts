import { expect, it } from "vitest";
import { defaultRoute, gigabits, ownNetwork } from "./own-network.ts";

const TABLE = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
docker0	000011AC	00000000	0001	0	0	0	0000FFFF	0	0	0
down0	00000000	0101A8C0	0002	0	0	0	00000000	0	0	0
wlan0	00000000	0101A8C0	0003	0	0	600	00000000	0	0	0
eth1	00000000	0100000A	0003	0	0	100	00000000	0	0	0
`;

it("the interface is that of the best default route that is up", () => {
  expect(defaultRoute(TABLE)).toBe("eth1");
  expect(defaultRoute(TABLE.split("\n").slice(0, 3).join("\n"))).toBeUndefined();
  expect(defaultRoute("")).toBeUndefined();
});

it("the kernel tells Mbit/s, or that it does not know", () => {
  expect([gigabits("10000\n"), gigabits("2500"), gigabits("-1\n"), gigabits("")]).toEqual([10, 2.5, null, null]);
});

it("this machine has one, or none", () => {
  const { interface: name, address } = ownNetwork();
  expect(name === null).toBe(address === undefined);
});
