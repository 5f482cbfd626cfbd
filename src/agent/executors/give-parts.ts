import type { Carrier } from "./carrier.ts";
import type { LargeParts, Work } from "./chunk.ts";
import type { PartsMessage } from "./messages.ts";

export type PartsOf = (large: LargeParts) => Promise<Pick<PartsMessage, "value" | "shares">>;

/** Sends a task that has started its large arguments: threads get the memory itself, to processes it is written from there. */
export function giveParts(carrier: Carrier, work: Work | undefined, partsOf: PartsOf): void {
  if (!work?.large) return;
  const { first: id, attempt, large } = work;
  void partsOf(large).then(({ value, shares }) => {
    // What is given away is the task's alone: one that is lost is sent again by the controller.
    large.value = [];
    const transfer = value.map((part) => part.buffer as ArrayBuffer);
    carrier.post({ type: "parts", id, attempt, value, shares }, transfer);
  });
}
