import * as sky from "skyward";
import { inTurns, type Case } from "../harness.ts";
import { noop } from "../functions.ts";
import { rigPool, withMachines } from "../machines.ts";

const DELAY_MS = 25;

/** Kills its own process at this time by the clock, which containers share with their computer. */
const die = sky.fn(
  (at: number) => {
    while (Date.now() < at);
    process.kill(process.pid, "SIGKILL");
    return new Promise<void>(() => undefined);
  },
  { rerun: "never" },
);

/** From the death of a process to the word of it here. */
export const detection: Case = {
  name: "detection",
  run: (report) =>
    withMachines({}, async (rig) => {
      await using pool = await rigPool(rig, 1, 1);
      const noticed = async (): Promise<number> => {
        await pool.run(noop());
        const at = Date.now() + 200;
        await Promise.resolve(pool.run(die(at))).catch(() => undefined);
        return Date.now() - at;
      };
      const { near } = await inTurns({ near: noticed });
      report("death of a process is noticed", near, "ms", { atMost: 200 });
      await rig.machines[0]!.weather({ delayMs: DELAY_MS });
      const { far } = await inTurns({ far: noticed });
      report("death of a process 50 ms away is noticed", far, "ms", { atMost: 200 + 2 * DELAY_MS });
    }),
};
