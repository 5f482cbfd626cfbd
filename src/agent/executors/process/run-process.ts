import { writeSync } from "node:fs";
import { Socket } from "node:net";
import { flushOutput } from "../../../task/output.ts";
import { letGo } from "../../../values/spare-memory.ts";
import { readInto } from "../../../wire/read-into.ts";
import { forgetHugePages } from "../../huge-pages.ts";
import { runSlots } from "../slots/run-slots.ts";
import type { TaskRun } from "../slots/task-run.ts";
import { ClaimFile } from "./claim-file.ts";
import { Frames, framesOf } from "./frames.ts";
import { beginMark } from "./marked-output.ts";
import type { FromProcess, ToProcess } from "./process-messages.ts";
import { SlotClaims } from "./slot-claims.ts";

/** Descriptors that the host gives to a process. */
const CHANNEL_FD = 3;
const CLAIMS_FD = 4;

/** The program of an executor process; its one argument is the secret that marks its output. */
export function runProcess(): void {
  forgetHugePages();
  // Functions see a program without arguments.
  const secret = `\0${process.argv.splice(2)[0]}`;
  const share = new SlotClaims(new ClaimFile(CLAIMS_FD), () => performance.timeOrigin + performance.now());
  const post = (message: FromProcess): void => {
    const pieces = framesOf(message);
    for (const piece of pieces) channel.write(piece, pieces.length > 1 ? () => letGo([piece]) : undefined);
  };
  const take = runSlots({
    share,
    single: true,
    post,
    begin: (run: TaskRun) => {
      mark(1, beginMark(secret, run.number, run.stdout));
      mark(2, beginMark(secret, run.number, run.stderr));
    },
  });
  const frames = new Frames<ToProcess>((message) => {
    if (message instanceof Uint8Array || message.type !== "cut") return take(message);
    share.cutTo(message.limit);
    post({ type: "cut" });
    take({ type: "slots" });
  });
  const channel = readInto(new Socket({ fd: CHANNEL_FD, readable: true, writable: true }), frames);
  // The host is gone.
  channel.on("error", () => process.kill(process.pid, "SIGKILL"));
  channel.on("close", () => process.kill(process.pid, "SIGKILL"));
  process.on("exit", flushOutput);
  post({ type: "ready" });
}

/** Says on a descriptor itself whose the following bytes are. */
function mark(fd: number, text: string): void {
  for (;;) {
    try {
      writeSync(fd, text);
      return;
    } catch (error) {
      // Somebody made it non-blocking, and the host is behind. A task that closed it has no more to say there.
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}
