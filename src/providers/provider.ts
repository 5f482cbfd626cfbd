import type { Duplex, Readable, Writable } from "node:stream";
import type { NodeConfig } from "../agent/config.ts";
import type { ResolvedImage } from "../image/image.ts";
import type { NodeChoice } from "../image/node-choice.ts";
import type { RemoteShell } from "../image/bootstrap.ts";

export interface ProvisionRequest {
  readonly rank: number;
  readonly pool: string;
  /** Told what the machine is doing while it comes up: "connect", "push agent", "start agent". */
  readonly onPhase?: (phase: string) => void;
}

/** Where the machines of a pool come from, when they are there already: borrowed, and left as they were found. */
export interface Provider {
  readonly name: string;
  /** Whose hardware it is. From a stranger only plain values are accepted. */
  readonly trust: "ours" | "stranger";
  /** How a machine can end its own cost: by shutting down, by a token for itself, or not at all. */
  readonly selfEnd: "os" | "scoped-token" | "none";
  /** Whether its machines are this one, with this program's Node and files: what is installed here is installed there. */
  readonly atHome?: boolean;
  /** How many separate machines there are, where that is known. */
  capacity?(): number;
  /** @throws SkyError SKY_BAD_OPTION where its machines can't be made so; called before anything is made */
  checkImage?(image: ResolvedImage): void;
  /** What its user should know before machines cost money: said when a pool opens. */
  readonly warning?: string | undefined;
  /** How its machines are taken up that an earlier run has left; left out where they end with their program. */
  readonly keeping?: Keeping;
  /** Called when all machines were released. */
  close?(): Promise<void>;
  /** @throws SkyError what is wrong with the options or the way to the machine */
  provision(request: ProvisionRequest, signal: AbortSignal): Promise<Machine>;
}

/** What a later run needs to take up a machine that was kept for it: plain data, with secrets. */
export interface KeptMachine {
  readonly name: string;
  /** The provider's. */
  readonly provider: string;
  /** The rank of its node. */
  readonly rank: number;
  /** What only its provider reads. */
  readonly data: Readonly<Record<string, unknown>>;
}

export interface Keeping {
  /** Why a machine does not fit this provider's pool, in words; undefined where it does. */
  mismatch(kept: KeptMachine): string | undefined;
  /** @throws SkyError when it is not there any more, or out of reach */
  adopt(kept: KeptMachine, request: ProvisionRequest, signal: AbortSignal): Promise<Machine>;
}

/** What a link shows to be let in. */
export interface LinkKey {
  readonly token: string;
  readonly epoch: number;
}

/** A command of a machine: a script for `sh`, or the agent's own program with these arguments. */
export type MachineCommand =
  | { readonly script: string; readonly pty?: TerminalSize }
  | { readonly agent: readonly string[] };

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
  /** Its type, such as "xterm-256color". */
  readonly term: string;
}

/** A command that runs on a machine. With a terminal all its output comes on `stdout`. */
export interface MachineProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Both null: out of reach. */
  readonly exit: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  resize(columns: number, rows: number): void;
  /** Ends it with all of its process group. */
  kill(): void;
}
/** `bulk`: for large values, opened when there are some; at most one, over a connection of its own where links share one. */
export type LinkKind = "control" | "data" | "bulk";

/** One machine of a pool: first `start`, then `connect` as often as needed, and `release` in the end. */
export interface Machine {
  /** "local-0", "user@host:22". */
  readonly name: string;
  readonly host: string;
  /** Where other machines reach it. */
  readonly address: string;
  /** The folder that its tasks run in, once the agent is up; left out where that is this program's own. */
  readonly workDir?: string;
  /** The way to run commands there, before the agent is up. Left out where there is none. */
  shell?(signal: AbortSignal): Promise<RemoteShell>;
  /**
   * Runs a command beside the agent, which must be up for its own program.
   * @throws SkyError SKY_LINK_LOST where the machine is out of reach
   */
  spawn(command: MachineCommand, signal: AbortSignal): Promise<MachineProcess>;
  /**
   * Brings the agent up, once.
   * @param node which Node runs it. @default any that is there; where the machine is this one, this program's own
   * @throws SkyError SKY_AGENT_FAILED with the last lines that it printed
   */
  start(config: NodeConfig, signal: AbortSignal, node?: NodeChoice): Promise<void>;
  /**
   * Opens a link. The first line has been sent when this resolves; the caller reads the answer, one line of JSON, and
   * sends nothing before. May be called again after a cut; makes what lies below (an SSH connection) anew if it has to.
   */
  connect(kind: LinkKind, key: LinkKey, signal: AbortSignal): Promise<Duplex>;
  /**
   * In place of `release`, after the agent said that it waits for another controller: lets go of the machine as it is.
   * @param untilMs when it ends by itself, ms since the epoch
   */
  keep?(rank: number, key: LinkKey, untilMs: number): Promise<KeptMachine>;
  /**
   * After "end" on the control link, or in place of it: waits for the agent to go (at most 5 s, then ends it), removes
   * what is left of it and closes connections. A second call returns the first one's promise.
   * @throws SkyError when a machine that was created could not be removed; a borrowed one's release never throws
   */
  release(): Promise<void>;
}
