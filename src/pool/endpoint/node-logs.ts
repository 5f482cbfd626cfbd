import type { SkyEvent } from "../../events/event.ts";

/** What is kept of each node's lines, in characters. */
const KEPT = 1024 * 1024;

export interface LoggedLine {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Left out for a line of the pool itself. */
  readonly node?: number;
  readonly task?: string;
  readonly stream: "stdout" | "stderr" | "bootstrap" | "event";
  readonly line: string;
}

interface Kept {
  lines: LoggedLine[];
  size: number;
}

/** The last 1 MB of what each node said, also of one that is gone. */
export class NodeLogs {
  readonly #nodes = new Map<number, Kept>();

  /** @returns the line that the event is, if it is one */
  take(event: SkyEvent): LoggedLine | undefined {
    const line = lineOf(event);
    if (line === undefined) return undefined;
    const rank = line.node ?? -1;
    const kept = this.#nodes.get(rank) ?? { lines: [], size: 0 };
    this.#nodes.set(rank, kept);
    kept.lines.push(line);
    kept.size += line.line.length + 1;
    // Halved in one go: a shift for each line would move all others.
    if (kept.size > KEPT) {
      let drop = 0;
      while (kept.size > KEPT * 0.75) kept.size -= kept.lines[drop++]!.line.length + 1;
      kept.lines = kept.lines.slice(drop);
    }
    return line;
  }

  /** All lines in the order of time. @param node @default every node and the pool */
  lines(node?: number): LoggedLine[] {
    if (node !== undefined) return [...(this.#nodes.get(node)?.lines ?? [])];
    return [...this.#nodes.values()].flatMap((kept) => kept.lines).sort((a, b) => a.at - b.at);
  }
}

function lineOf(event: SkyEvent): LoggedLine | undefined {
  const { at } = event;
  switch (event.type) {
    case "Log.Emitted": {
      const { node, task, stream, message } = event;
      const from = { ...(node === undefined ? {} : { node }), ...(task === undefined ? {} : { task }) };
      return { at, ...from, stream, line: message };
    }
    case "Node.Bootstrap.Output":
      return { at, node: event.node, stream: "bootstrap", line: event.output };
    case "Node.Bootstrap.Command":
      return { at, node: event.node, stream: "bootstrap", line: `$ ${event.command}` };
    case "Node.Bootstrap.Failed":
      return { at, node: event.node, stream: "event", line: event.error };
    case "Node.Lost":
      return { at, node: event.node, stream: "event", line: `lost: ${event.reason}` };
    case "Node.HostReplaced":
      return { at, node: event.node, stream: "event", line: `host replaced: ${event.signal ?? event.exitCode}` };
    case "Node.WorkerFailed":
      return { at, node: event.node, stream: "event", line: event.error };
    default:
      return undefined;
  }
}
