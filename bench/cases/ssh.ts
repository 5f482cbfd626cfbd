import { Sshd } from "../../test/support/sshd.ts";
import { delayLink } from "../../test/support/weather.ts";
import { nap, noop } from "../functions.ts";
import { docker } from "../../test/rig/docker.ts";
import { elapsed, inTurns, median, rate, roundTrips, type Case } from "../harness.ts";
import { loginOf, rigPool, withMachines } from "../machines.ts";
import { piscina } from "../peers/piscina.ts";
import { ECHO, sshEcho } from "../peers/raw-echo.ts";
import { localPool, sshPool } from "../pools.ts";
import { loopback } from "../ssh-machine.ts";

const p50 = async (once: () => PromiseLike<unknown>, count?: number): Promise<number> =>
  (await roundTrips(once, count)).p50;

/** The same over an SSH connection to a machine. */
export const ssh: Case = {
  name: "ssh",
  run: (report) =>
    withMachines({}, async (rig) => {
      const machine = rig.machines[0]!;
      await docker("cp", ECHO, `${machine.name}:/usr/local/lib/echo.mjs`);
      await using echo = await sshEcho(loginOf(rig, machine), "node /usr/local/lib/echo.mjs");
      await using near = await localPool();
      await using far = await rigPool(rig, 1, 2);
      const threads = piscina();
      const tails: number[] = [];
      const ours = async (): Promise<number> => {
        const { p50, p99 } = await roundTrips(() => far.run(noop()));
        tails.push(p99 / 1000);
        return p50;
      };
      const trips = await inTurns({ echo: () => p50(echo.trip), ours });
      report("raw ssh echo with a thread, p50", trips.echo, "us");
      report("ssh, no-op, one in flight, p50", trips.ours, "us", { of: trips.echo, atMost: 1.4 });
      report("ssh, no-op, one in flight, p99", median(tails), "ms", { atMost: 3 });
      const rates = await inTurns({
        piscina: () => rate(() => threads.run(undefined), 30_000),
        near: () => rate(() => near.run(noop()), 300_000),
        far: () => rate(() => far.run(noop()), 300_000),
      });
      report("ssh, no-op, 1,000 in flight", rates.far, "tasks/s", { of: rates.near, atLeast: 0.6 });
      report("ssh, no-op, 1,000 in flight, to piscina", rates.far, "tasks/s", { of: rates.piscina, atLeast: 6 });
      await threads.destroy();
    }),
};

/** 50 ms away: a window that is too small for the round trip shows here and nowhere else. */
export const distance: Case = {
  name: "distance",
  async run(report) {
    const link = await delayLink({ delayMs: 25 });
    try {
      await using sshd = await Sshd.start();
      await using echo = await sshEcho(link);
      await using near = await sshPool(loopback(sshd), 20);
      await using far = await sshPool(link, 20);
      const items = Array.from({ length: 1000 }, () => 20);
      const trips = await inTurns({ echo: () => p50(echo.trip, 40), ours: () => p50(() => far.run(noop()), 40) }, 3);
      report("raw ssh echo at 50 ms, p50", trips.echo, "us");
      report("ssh at 50 ms, no-op, one in flight, p50", trips.ours, "us", { of: trips.echo, atMost: 1.4 });
      const naps = await inTurns({
        near: () => elapsed(() => near.map(nap, items)),
        far: () => elapsed(() => far.map(nap, items)),
      });
      report("ssh at 50 ms, 1,000 naps of 20 ms on 20 slots", naps.far, "ms", { of: naps.near, atMost: 1.3 });
    } finally {
      await link.close();
    }
  },
};
