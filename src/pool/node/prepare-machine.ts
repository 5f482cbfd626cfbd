import { SkyError } from "../../errors/sky-error.ts";
import { bootstrap } from "../../image/bootstrap.ts";
import type { ResolvedImage } from "../../image/image.ts";
import { extraCaOf, proxiesOf } from "../../image/network.ts";
import type { BootstrapEvent } from "../../image/output.ts";
import { needsBootstrap } from "../../image/script.ts";
import type { Machine } from "../../providers/provider.ts";
import type { NodeNews } from "./node-news.ts";

/**
 * Makes a machine what its image says, and tells of it.
 * @returns variables that the machine itself gave, for its tasks
 * @throws SkyError SKY_BOOTSTRAP_FAILED, SKY_BAD_OPTION where the provider's machines have no shell
 */
export async function prepareMachine(
  rank: number,
  machine: Machine,
  image: ResolvedImage,
  emit: (event: NodeNews) => void,
  signal: AbortSignal,
  atHome: boolean,
): Promise<Readonly<Record<string, string>>> {
  if (!needsBootstrap(image)) return {};
  const began = performance.now();
  const elapsed = (): number => Math.round(performance.now() - began);
  let phase = "start";
  let phaseBegan = began;
  const onEvent = (event: BootstrapEvent): void => {
    switch (event.type) {
      case "phase":
        phase = event.phase;
        phaseBegan = performance.now();
        return emit({ type: "Node.Bootstrap.Started", node: rank, phase });
      case "done": {
        const elapsedMs = Math.round(performance.now() - phaseBegan);
        return emit({ type: "Node.Bootstrap.Completed", node: rank, phase: event.phase, elapsedMs });
      }
      case "command":
        return emit({ type: "Node.Bootstrap.Command", node: rank, command: event.command });
      case "line":
        return emit({ type: "Node.Bootstrap.Output", node: rank, output: event.line, overwrite: event.overwrites });
      case "waiting":
        return emit({ type: "Node.PhaseChanged", node: rank, phase: "wait for another bootstrap of this machine" });
      default:
    }
  };
  try {
    if (!machine.shell) {
      throw new SkyError("SKY_BAD_OPTION", `${machine.name} has no shell, so image can only set env and secrets there`);
    }
    emit({ type: "Node.PhaseChanged", node: rank, phase: "bootstrap" });
    // On this computer the environment says it by itself.
    const way = atHome ? {} : { network: proxiesOf(process.env), ca: extraCaOf(process.env) };
    const { variables } = await bootstrap(await machine.shell(signal), image, signal, { ...way, onEvent });
    emit({ type: "Node.Bootstrap.Done", node: rank, success: true, elapsedMs: elapsed() });
    return variables;
  } catch (error) {
    const exitCode = error instanceof SkyError ? error.details["exitCode"] : undefined;
    const message = (error as Error).message;
    const known = typeof exitCode === "number" ? { exitCode } : {};
    emit({ type: "Node.Bootstrap.Failed", node: rank, phase, error: message, elapsedMs: elapsed(), ...known });
    emit({ type: "Node.Bootstrap.Done", node: rank, success: false, error: message, elapsedMs: elapsed() });
    throw error;
  }
}
