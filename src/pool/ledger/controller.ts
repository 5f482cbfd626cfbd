import { readFileSync } from "node:fs";
import { isAlive, startTimeOf } from "../../agent/process-tree.ts";

/** A process that created machines, so named that no later one can be taken for it: "pid-start-boot". */
export function thisController(): string {
  return `${process.pid}-${startTimeOf(process.pid) ?? ""}-${boot()}`;
}

/** Whether the process still runs. Only to be asked of one of this computer. */
export function controllerLives(controller: string): boolean {
  const [pid = "", startTime = "", booted = ""] = controller.split("-");
  return booted === boot() && isAlive({ pid: Number(pid), startTime });
}

export function pidOf(controller: string): number {
  return Number(controller.split("-")[0]);
}

let booted: string | undefined;

/** Tells this run of the computer from the ones before; empty where that is not to be had. */
function boot(): string {
  if (booted !== undefined) return booted;
  try {
    booted = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").slice(0, 8);
  } catch {
    booted = "";
  }
  return booted;
}
