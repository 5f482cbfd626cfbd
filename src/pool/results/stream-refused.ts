import { SkyError } from "../../errors/sky-error.ts";

/** Arguments that are read while the function runs can't tell before whether the call is a known one. */
export function streamRefused(name: string): SkyError {
  return new SkyError(
    "SKY_BAD_OPTION",
    `${name} has cache, but an argument is a stream, which is known only when it has been read`,
    { hint: "Pass the items as an array, or leave cache out of this call: .with({ cache: false })." },
  );
}
