import { colorsFor, wantsColors } from "../../console/colors.ts";
import { SkyError } from "../../errors/sky-error.ts";

/** Runs a command, and tells its failure in words, without a stack. */
export async function telling(name: string, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    const paint = colorsFor(wantsColors(process.stderr, process.env));
    const { message } = error as Error;
    const hint = error instanceof SkyError ? `\n${error.hint}` : "";
    process.stderr.write(`${paint.red(`sky ${name}:`)} ${message}${hint}\n`);
    process.exitCode = 1;
  }
}
