import { isAlive, startTimeOf } from "../../src/agent/process-tree.ts";
import { docker } from "./docker.ts";

/** Every container of a rig carries it, with the process that made it. */
export const OWNER_LABEL = "skyward.rig.owner";

export const owner = `${process.pid}-${startTimeOf(process.pid) ?? ""}`;

/** Removes containers whose process has gone without removing them. Others' are left alone. */
export async function removeLeftovers(): Promise<void> {
  const format = `{{.ID}} {{.Label "${OWNER_LABEL}"}}`;
  const listed = await docker("ps", "--all", "--no-trunc", "--filter", `label=${OWNER_LABEL}`, "--format", format);
  const dead = listed.split("\n").flatMap((line) => {
    const [id = "", by = ""] = line.split(" ");
    const [pid = "", startTime = ""] = by.split("-");
    return id === "" || isAlive({ pid: Number(pid), startTime }) ? [] : [id];
  });
  if (dead.length > 0) await docker("rm", "--force", "--volumes", ...dead);
}
