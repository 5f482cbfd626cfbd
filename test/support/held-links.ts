import type * as sky from "skyward";
import { wrapMachines } from "./wrap-machines.ts";

export interface HeldLinks {
  readonly provider: sky.Provider;
  /** Cuts the data link, and lets no other one come up. */
  hold(): void;
  release(): void;
}

/** A provider whose one data link can be taken away for as long as one likes; the control link stays. */
export function heldLinks(inner: sky.Provider): HeldLinks {
  let held: Promise<void> | undefined;
  let release = (): void => {};
  let cut = (): void => {};
  const provider = wrapMachines(inner, (machine) => ({
    connect: async (kind, key, signal) => {
      if (kind === "data") await held;
      const stream = await machine.connect(kind, key, signal);
      if (kind === "data") cut = () => stream.destroy();
      return stream;
    },
  }));
  return {
    provider,
    hold: () => {
      held = new Promise((resolve) => (release = resolve));
      cut();
    },
    release: () => release(),
  };
}
