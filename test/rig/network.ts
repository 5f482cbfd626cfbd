import { docker } from "./docker.ts";

/** All machines of all rigs stand in one network of this computer. */
export const NETWORK = "skyward-rig";
/** This computer, as the machines see it. */
export const HERE = "10.214.0.1";

export async function makeNetwork(): Promise<void> {
  const there = await docker("network", "ls", "--quiet", "--filter", `name=^${NETWORK}$`);
  if (there === "") await docker("network", "create", "--subnet", "10.214.0.0/16", "--gateway", HERE, NETWORK);
}
