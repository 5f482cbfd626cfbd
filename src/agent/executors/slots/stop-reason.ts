import { decodeError } from "../../../values/errors.ts";
import type { StopMessage } from "../messages.ts";

/** What the signals of stopped tasks fire with: the caller's own reason, or an error as `AbortSignal` makes them. */
export function stopReason(message: StopMessage): unknown {
  if (message.reason === "timeout")
    return new DOMException(`the run limit of ${message.limitMs / 1000} s (timeout) has passed`, "TimeoutError");
  try {
    if (message.why) return decodeError(message.why, 0, message.why.length) ?? cancelled();
  } catch {
    // A reason that can't be read must not keep the task running.
  }
  return cancelled();
}

function cancelled(): DOMException {
  return new DOMException("the task was cancelled", "AbortError");
}
