import { createReadStream } from "node:fs";
import { SkyError } from "../../errors/sky-error.ts";
import type { SshConnection, SshOptions } from "../../ssh/connection.ts";
import { openPatiently } from "../../ssh/reconnect.ts";
import { targetName } from "../../ssh/target.ts";
import { upload } from "../../ssh/upload.ts";
import type { AgentProgram } from "./agent-program.ts";
import { extraCaOf } from "../../image/network.ts";
import { PINNED_NODES } from "../../image/pinned-nodes.ts";
import type { NodeChoice } from "../../image/node-choice.ts";
import { mirroredNode, nodeSource } from "./node-binary.ts";

/** sshd drops connections at random when more than ten are logging in (MaxStartups 10:30:100). */
const LOGINS_AT_ONCE = 8;
const LOGIN_TRIES = 5;
/** A machine that answers nothing at all is not asked for minutes. */
const LOGIN_LIMIT_MS = 15_000;

/** One address, which may carry several nodes: they log in a few at a time, and a file is sent to it once. */
export class SshHost {
  readonly name: string;
  readonly options: SshOptions;
  readonly agent: AgentProgram;
  /** What this program trusts beyond the usual authorities, its machines do too. */
  readonly ca = extraCaOf(process.env);
  /** Whether its sshd opens unix sockets for us, once that is known; where it does not, links are sessions of their own. */
  socketsOpen: boolean | undefined;
  readonly #uploads = new Map<string, Promise<void>>();
  /** When each thing was last sent, ms of this process. */
  readonly #sentAt = new Map<string, number>();
  #loggingIn = 0;
  #waiting: (() => void)[] = [];

  constructor(options: SshOptions, agent: AgentProgram) {
    this.name = targetName(options.target);
    this.options = options;
    this.agent = agent;
  }

  /** @param patient try until the signal aborts, not just a few times */
  async connect(signal: AbortSignal, patient: boolean): Promise<SshConnection> {
    while (this.#loggingIn >= LOGINS_AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#loggingIn++;
    try {
      return await openPatiently(this.options, signal, patient ? {} : { tries: LOGIN_TRIES, withinMs: LOGIN_LIMIT_MS });
    } finally {
      this.#loggingIn--;
      this.#waiting.shift()?.();
    }
  }

  /**
   * Sends what the machine said, at the time `asked`, that it needs. Nodes that need the same wait for the one that
   * sends it; what has been sent since they asked is not sent again.
   */
  async supply(
    connection: SshConnection,
    system: string,
    needs: readonly string[],
    node: NodeChoice,
    asked: number,
    onPhase?: (phase: string) => void,
  ): Promise<void> {
    for (const need of needs) {
      if ((this.#sentAt.get(need) ?? -1) >= asked) continue;
      const sending = this.#uploads.get(need);
      if (sending !== undefined) {
        await sending;
        continue;
      }
      const sent = this.#send(connection, system, need, node, onPhase);
      this.#uploads.set(need, sent);
      // What was deleted there afterwards is sent again.
      await sent.finally(() => this.#uploads.delete(need));
      this.#sentAt.set(need, performance.now());
    }
  }

  async #send(
    connection: SshConnection,
    system: string,
    need: string,
    node: NodeChoice,
    onPhase?: (phase: string) => void,
  ): Promise<void> {
    if (need !== "ca") onPhase?.(`push ${need}`);
    const { ca } = this;
    if (need === "ca" && ca !== undefined) return upload(connection, ca, { open: () => createReadStream(ca.path) });
    if (need === "agent") return upload(connection, this.agent.file, this.agent.source);
    const release = node.releases.get(system);
    if (release !== undefined && "package" in release) return upload(connection, release, await nodeSource(release));
    if (release !== undefined) {
      const { file, source } = await mirroredNode(release);
      return upload(connection, file, source);
    }
    const what = node.version === undefined ? "20.19 or newer" : node.version;
    const pinned = new Set([...PINNED_NODES.values()].map(({ version }) => version));
    throw new SkyError("SKY_AGENT_FAILED", `${this.name} has no Node ${what}, and there is none to send to ${system}`, {
      hint:
        "Install it there, on the PATH of a non-interactive login (ssh user@host node --version), or name a mirror of nodejs.org/dist in SKYWARD_NODE_MIRROR." +
        ` Without a mirror ${[...pinned].join(" and ")} can be sent.`,
      details: { host: this.name },
    });
  }
}
