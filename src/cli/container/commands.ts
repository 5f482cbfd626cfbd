import { buildCommand, buildRouteMap } from "@stricli/core";

export interface CleanFlags {
  readonly binary: string;
}

/** `sky container clean` */
const clean = buildCommand({
  loader: async () => (await import("./clean.ts")).cleanCommand,
  parameters: {
    flags: {
      binary: {
        kind: "parsed",
        parse: String,
        default: "docker",
        placeholder: "command",
        brief: "The engine's command: docker, podman, or a path",
      },
    },
  },
  docs: {
    brief: "Remove the images that pools have saved",
    fullDescription: `The images skyward:<hash>, from which the next pool of the same image starts at once. Those that containers run from stay.

Examples:
  sky container clean
  sky container clean --binary podman`,
  },
});

/** `sky container clean` */
export const container = buildRouteMap({
  routes: { clean },
  docs: { brief: "Remove what sky.container has left on this computer" },
});
