import { skipItems } from "../../wire/items.ts";
import type { Work } from "./chunk.ts";
import type { Carrier } from "./carrier.ts";

/** The carrier with the fewest open tasks for its slots. */
export function least(carriers: readonly Carrier[]): Carrier {
  let best = carriers[0]!;
  for (const carrier of carriers)
    if (carrier.open / carrier.share.allowed < best.open / best.share.allowed) best = carrier;
  return best;
}

/** Cuts work into parts of the given shares (which add up to 1), in order; empty parts are left out. */
export function split(work: Work, shares: readonly number[]): Work[] {
  const parts: Work[] = [];
  let item = 0;
  let sum = 0;
  let at = 0;
  for (const share of shares) {
    sum += share;
    const end = Math.min(work.count, Math.ceil(work.count * sum - 1e-9));
    if (end <= item) continue;
    const to = skipItems(work.body, at, end - item);
    parts.push({ ...work, first: work.first + item, count: end - item, body: work.body.slice(at, to) });
    [item, at] = [end, to];
  }
  return parts;
}

/** What can be taken from whom for an idle carrier: all that stands behind a blocked one, else half of the most. */
export function donor(
  carriers: Iterable<Carrier>,
  idle: Carrier,
): { readonly from: Carrier; readonly count: number } | undefined {
  let from: Carrier | undefined;
  let most = 0;
  for (const other of carriers) {
    if (other === idle || other.open <= 1) continue;
    const unclaimed = other.unclaimed;
    if (unclaimed > most) [from, most] = [other, unclaimed];
  }
  if (!from) return undefined;
  const wanted = idle.share.allowed - idle.open;
  return { from, count: from.blocked || from.retired ? Math.min(most, wanted) : Math.ceil(most / 2) };
}

/** A carrier's tasks without an outcome: those that had started, and work that had not. */
export function leftOf(carrier: Carrier): {
  readonly started: { id: number; attempt: number }[];
  readonly unstarted: Work[];
} {
  const started: { id: number; attempt: number }[] = [];
  const unstarted: Work[] = [];
  for (const chunk of carrier.chunks.values()) {
    const claimed = carrier.share.claimed(chunk.word);
    for (let item = 0; item < Math.min(claimed, chunk.count); item++) {
      if (!chunk.isDone(item)) started.push({ id: chunk.work.first + item, attempt: chunk.work.attempt });
    }
    unstarted.push(...chunk.pieces(claimed));
  }
  return { started, unstarted };
}
