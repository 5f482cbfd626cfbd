import { EXTERNAL_MIN_BYTES } from "../values/externals.ts";
import type { Session } from "./session.ts";

/**
 * Whether a value leaves by the bulk link. Small ones stay on the data link, which stands already, as long as little waits
 * there: what is on its way there stands in front of a cancel.
 */
export function goesByLink(value: Uint8Array, externals: readonly Uint8Array[], session: Session): boolean {
  return externals.length > 0 || value.byteLength + session.bulk.queuedBytes >= EXTERNAL_MIN_BYTES;
}
