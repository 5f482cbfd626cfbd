import { ByteWriter } from "../../values/byte-writer.ts";
import { encodeError } from "../../values/errors.ts";
import { Op, Status } from "../../wire/ops.ts";
import { writeOutcomesHeader } from "../../wire/records.ts";
import type { Session } from "../../wire/session.ts";

/** An outcome that the host itself gives a task. `ended`: ms since the epoch. */
export function writeFailure(
  session: Session,
  id: number,
  attempt: number,
  error: Error,
  elapsedUs: number,
  ended: number,
): void {
  const item = new ByteWriter(1024);
  item.u8(Status.THREW);
  encodeError(error, item);
  const { out } = session;
  session.open(Op.OUTCOMES);
  writeOutcomesHeader(out, id, attempt, 1, elapsedUs, ended);
  out.varint(item.pos);
  out.bytes(item.buf.subarray(0, item.pos));
  session.close();
}
