import type { BulkLink } from "../../wire/bulk-link.ts";
import { goesByLink } from "../../wire/goes-by-link.ts";
import { Op, Status } from "../../wire/ops.ts";
import { writeOutcomesHeader } from "../../wire/records.ts";
import type { Session } from "../../wire/session.ts";
import type { LargeOutcomeMessage } from "../executors/messages.ts";

/** Sends an outcome that is too large for a record. `ended`: ms since the epoch. */
export function sendLargeOutcome(session: Session, bulk: BulkLink, outcome: LargeOutcomeMessage, ended: number): void {
  const { id, attempt, status, elapsedUs, value, externals } = outcome;
  const threw = status === Status.THREW;
  const say = (how: number, channel: number): void => {
    session.open(Op.OUTCOMES);
    writeOutcomesHeader(session.out, id, attempt, 1, elapsedUs, ended);
    session.out.varint(5);
    session.out.u8(how);
    session.out.u32(channel);
    session.close();
  };
  const head = value.subarray(1);
  if (goesByLink(head, externals, session))
    say(threw ? Status.THREW_LARGE : Status.RETURNED_LARGE, bulk.send([head, ...externals], 0));
  else session.bulk.send(head, (channel) => say(threw ? Status.THREW_BULK : Status.RETURNED_BULK, channel));
}
