import type { MetricSampled, NodeEvent } from "./node-events.ts";

/** What a node does from an event on, in a word or a few; undefined where the event changes nothing of that. */
export function stepOf(event: NodeEvent | MetricSampled): string | undefined {
  switch (event.type) {
    case "Node.Provisioning":
      return "provision";
    case "Node.Provisioned":
      return "connect";
    case "Node.PhaseChanged":
      return event.phase;
    case "Node.Bootstrap.Started":
      return `bootstrap: ${event.phase}`;
    case "Node.Connected":
      return "agent";
    case "Node.Ready":
    case "Node.Reconnected":
      return "ready";
    case "Node.Disconnected":
      return "disconnected";
    case "Node.Lost":
      return "lost";
    case "Node.Preempted":
    case "Node.Draining":
      return "drain";
    case "Node.Gone":
      return "gone";
    default:
      return undefined;
  }
}
