import { engine } from "./engine.ts";

/** The parts of `info` that are read here: Docker's, and Podman's. */
interface Info {
  readonly SecurityOptions?: readonly string[] | null;
  readonly host?: { readonly security?: { readonly rootless?: boolean } };
}

/** Whether the engine's networks are out of this user's reach, so that only published ports lead to its containers. */
export async function isRootless(binary: string, signal: AbortSignal): Promise<boolean> {
  try {
    const info = JSON.parse(await engine(binary, ["info", "--format", "{{json .}}"], signal)) as Info;
    return info.host?.security?.rootless ?? (info.SecurityOptions ?? []).some((one) => one.includes("name=rootless"));
  } catch {
    signal.throwIfAborted();
    return false;
  }
}
