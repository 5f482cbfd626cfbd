import type { CommandContext } from "@stricli/core";
import { removeImages, savedImages } from "../../providers/container/saved-images.ts";
import { telling } from "../pools/fail.ts";
import type { CleanFlags } from "./commands.ts";

const LIMIT_MS = 120_000;

export async function cleanCommand(this: CommandContext, { binary }: CleanFlags): Promise<void> {
  await telling("container clean", async () => {
    const signal = AbortSignal.timeout(LIMIT_MS);
    const images = await savedImages(binary, signal);
    const gone = await removeImages(binary, images, signal);
    const left = images.length - gone.length;
    const inUse = left === 0 ? "" : ` ${left} in use ${left === 1 ? "stays" : "stay"}.`;
    const none =
      images.length === 0 ? `${binary} has no image of ours.` : `Removed ${gone.length} of ${images.length} images.`;
    this.process.stdout.write(`${none}${inUse}\n`);
  });
}
