import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { adopt } from "./adopt.ts";
import type { HostConfig, ProcessIdentity } from "./config.ts";
import type { NodePlace } from "./control.ts";
import { killTree, startTimeOf } from "./process-tree.ts";
import { removeRunDir } from "./supervisor/run-dir.ts";

/** Messages over the channel of `fork`. A `link` carries the accepted socket. */
export type ToHost =
  | { readonly type: "config"; readonly config: HostConfig; readonly generation: number }
  /** `leftover`: base64 of what was read behind the first line. */
  | { readonly type: "link"; readonly epoch: number; readonly leftover: string; readonly bulk: boolean }
  | { readonly type: "adopt"; readonly epoch: number; readonly pid: number; readonly bulk: boolean }
  /** Links of lower epochs have ended. */
  | { readonly type: "fence"; readonly epoch: number }
  /** The node ends, or begins afresh: exit within a second. `why`: for the tasks that run. */
  | { readonly type: "end"; readonly why: string };

export type ToSupervisorFromHost =
  | { readonly type: "ready"; readonly place: NodePlace }
  /** Tasks run, or no more do. */
  | { readonly type: "busy"; readonly busy: boolean }
  /** The pipes could not be opened: that `attach` has to relay. */
  | { readonly type: "adopt-failed"; readonly pid: number; readonly error: string }
  /** An adopted link has ended on this side, so its `attach` has nothing to wait for. */
  | { readonly type: "adopt-closed"; readonly pid: number };

export interface HostHandlers {
  /** First of all, once. */
  config(config: HostConfig, generation: number): void;
  /** A new data or bulk link, its first line consumed and not yet answered. It replaces the one before of its kind. */
  link(stream: Duplex, epoch: number, bulk: boolean): void;
  /** A newer controller took over: links of lower epochs must end. */
  fence(epoch: number): void;
  /** An orderly end. The process exits when the promise settles, after a second at the latest. */
  end?(why: string): Promise<void>;
}

export interface HostChannel {
  /** To be called when data links can be taken. */
  ready(place: NodePlace): void;
  busy(busy: boolean): void;
}

/**
 * The host's side of its supervisor. When the supervisor is gone without a word (kill -9), all processes of this node
 * and its run directory are removed, then this process ends.
 */
export function openHostChannel(handlers: HostHandlers): HostChannel {
  const supervisor: ProcessIdentity = { pid: process.ppid, startTime: startTimeOf(process.ppid) ?? "" };
  let dir: string | undefined;
  process.on("message", (message: ToHost, socket: Socket | undefined) => {
    if (message.type === "config") {
      dir = message.config.dir;
      handlers.config(message.config, message.generation);
    } else if (message.type === "link") {
      // A socket that was closed on the way arrives as undefined.
      if (socket === undefined) return;
      if (message.leftover !== "") socket.unshift(Buffer.from(message.leftover, "base64"));
      handlers.link(socket, message.epoch, message.bulk);
    } else if (message.type === "adopt") {
      adoptLink(message.pid, message.epoch, message.bulk, handlers);
    } else if (message.type === "fence") {
      handlers.fence(message.epoch);
    } else {
      void leaveChildless(handlers, message.why);
    }
  });
  process.once("disconnect", () => void leaveNothing(supervisor, dir));
  return { ready: (place) => say({ type: "ready", place }), busy: (busy) => say({ type: "busy", busy }) };
}

function adoptLink(pid: number, epoch: number, bulk: boolean, handlers: HostHandlers): void {
  let stream: Duplex;
  try {
    stream = adopt(pid);
  } catch (error) {
    say({ type: "adopt-failed", pid, error: String(error) });
    return;
  }
  stream.once("close", () => say({ type: "adopt-closed", pid }));
  handlers.link(stream, epoch, bulk);
}

function say(message: ToSupervisorFromHost): void {
  if (process.connected) process.send?.(message);
}

/** While their parent lives, children are found that left the session and emptied their environment. */
async function leaveChildless(handlers: HostHandlers, why: string): Promise<never> {
  try {
    await handlers.end?.(why);
    await killTree({ below: process.pid });
  } finally {
    process.exit(0);
  }
}

async function leaveNothing(supervisor: ProcessIdentity, dir: string | undefined): Promise<never> {
  await killTree({ below: process.pid, session: supervisor, ...(dir !== undefined && { run: dir }) });
  if (dir !== undefined) removeRunDir(dir);
  process.exit(1);
}
