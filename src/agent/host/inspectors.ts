import { connect } from "node:net";
import { Op } from "../../wire/ops.ts";
import type { InspectorRecord } from "../../wire/records.ts";
import type { Session } from "../../wire/session.ts";
import { Tunnels } from "../../wire/tunnels.ts";

/** The inspectors of this node's processes, for debuggers on the controller's machine. */
export class Inspectors {
  readonly #session: () => Session;
  readonly #tunnels: Tunnels;
  /** Nothing else on this machine can be reached through a tunnel. */
  readonly #ports = new Set<number>();

  constructor(session: () => Session) {
    this.#session = session;
    this.#tunnels = new Tunnels(session, { data: Op.DEBUGGED, end: Op.DEBUGGED_END });
  }

  /** One was opened, or has gone with its process. */
  tell(news: InspectorRecord): void {
    if (news.path === undefined) this.#ports.delete(news.port);
    else this.#ports.add(news.port);
    this.#session().sendJson(Op.INSPECTOR, news);
    this.#session().flush();
  }

  record(op: number, buf: Buffer, start: number, end: number): void {
    if (op === Op.DEBUG_END) return this.#tunnels.end(buf, start, end);
    this.#tunnels.data(buf, start, end, (_, port) => (this.#ports.has(port) ? connect(port, "127.0.0.1") : undefined));
  }

  /** The debuggers of the controller before are gone. */
  reset(): void {
    this.#tunnels.dispose();
  }
}
