import { elapsed, inTurns, type Case } from "../harness.ts";
import { noop } from "../functions.ts";
import { rigPool, sshTrue, withMachines } from "../machines.ts";

/** From a machine whose sshd answers to the first result, with the agent there already and without. */
export const firstResult: Case = {
  name: "first result",
  run: (report) =>
    withMachines({}, async (rig) => {
      const toFirstResult = async (): Promise<number> => {
        const started = performance.now();
        const pool = await rigPool(rig, 1, 1);
        await pool.run(noop());
        const took = performance.now() - started;
        await pool.close();
        return took;
      };
      // The first one of a program loads and captures what all later ones have.
      await toFirstResult();
      const medians = await inTurns({
        floor: () => elapsed(() => sshTrue(rig)),
        there: toFirstResult,
        pushed: async () => {
          await rig.machines[0]!.exec("rm", "-rf", "/root/.cache/skyward");
          return toFirstResult();
        },
      });
      report("ssh host true", medians.floor, "ms");
      report("first result by ssh, agent there", medians.there, "ms", { atMost: 600 });
      report("first result by ssh, agent pushed", medians.pushed, "ms", { atMost: 1500 });
    }),
};

/** Twenty machines with Node until all are ready, against twenty logins at once. */
export const twenty: Case = {
  name: "twenty",
  run: (report) =>
    withMachines({ machines: 20 }, async (rig) => {
      const ready = async (): Promise<number> => {
        const started = performance.now();
        const pool = await rigPool(rig, 20, 1);
        const took = performance.now() - started;
        await pool.close();
        return took;
      };
      // What comes first sends the agent.
      await ready();
      const medians = await inTurns({ floor: () => elapsed(() => sshTrue(rig)), ours: ready });
      report("20 x ssh host true at once", medians.floor, "ms");
      report("20 nodes ready by ssh", medians.ours, "ms", { of: medians.floor, atMost: 2.5 });
    }),
};
