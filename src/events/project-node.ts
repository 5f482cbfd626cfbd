import type { MetricSampled, NodeEvent } from "./node-events.ts";
import { stepOf } from "./node-step.ts";
import type { BootstrapView, NodeStatus, NodeView } from "./views.ts";

const MAX_METRICS = 64;
const MAX_OUTPUT = 20;
const MAX_STEPS = 64;
const NO_BOOTSTRAP: BootstrapView = { active: undefined, completed: [], failed: undefined, output: [] };

/** Folds one event of a node into its view. The status goes wherever the event says, back as well as forward. */
export function projectNode(before: NodeView, event: NodeEvent | MetricSampled): NodeView {
  const step = stepOf(event);
  const view =
    step === undefined ? before : { ...before, steps: [...before.steps, { step, at: event.at }].slice(-MAX_STEPS) };
  switch (event.type) {
    case "Node.Provisioning":
      return { ...to(view, "provisioning", event.at), problem: undefined, lossCause: undefined, bootstrap: undefined };
    case "Node.Provisioned":
      return { ...to(view, "connecting", event.at), machine: event.machine, address: event.address };
    case "Node.PhaseChanged":
      return { ...view, phase: event.phase };
    case "Node.Installing":
      return { ...view, phase: `installing ${event.package}` };
    case "Node.Installed":
      return { ...view, phase: undefined };
    case "Node.Connected":
      return { ...to(view, "starting", event.at), machine: event.machine };
    case "Node.Ready":
      return { ...to(view, "ready", event.at), machine: event.machine, slots: event.slots, problem: undefined };
    case "Node.Disconnected":
      return { ...to(view, "disconnected", event.at), problem: event.reason };
    case "Node.Reconnected":
      return { ...to(view, "ready", event.at), problem: undefined };
    case "Node.Lost":
      return { ...to(view, "lost", event.at), problem: event.reason, lossCause: event.cause };
    case "Node.ConnectionFailed":
    case "Node.WorkerFailed":
      return { ...view, problem: event.error };
    case "Node.Preempted":
      return { ...to(view, "draining", event.at), problem: event.reason };
    case "Node.HostReplaced":
      return { ...view, hostsReplaced: view.hostsReplaced + 1 };
    case "Node.Replaced":
    case "Node.Adopted":
      return { ...view, machine: event.machine };
    case "Node.Draining":
      return to(view, "draining", event.at);
    case "Node.Gone":
      return to(view, "gone", event.at);
    case "Metric.Sampled":
      return withMetric(view, event.name, event.value);
    default: {
      const bootstrap = projectBootstrap(view.bootstrap ?? NO_BOOTSTRAP, event);
      const started = event.type === "Node.Bootstrap.Started" && view.status !== "bootstrapping";
      return { ...(started ? to(view, "bootstrapping", event.at) : view), bootstrap };
    }
  }
}

type BootstrapEvent = Extract<NodeEvent, { type: `Node.Bootstrap.${string}` }>;

function projectBootstrap(view: BootstrapView, event: BootstrapEvent): BootstrapView {
  switch (event.type) {
    case "Node.Bootstrap.Started":
      return { ...view, active: event.phase };
    case "Node.Bootstrap.Command":
      return { ...view, output: [...view.output, `$ ${event.command}`].slice(-MAX_OUTPUT) };
    case "Node.Bootstrap.Output": {
      const kept = event.overwrite === true ? view.output.slice(0, -1) : view.output;
      return { ...view, output: [...kept, event.output].slice(-MAX_OUTPUT) };
    }
    case "Node.Bootstrap.Completed": {
      const done = { phase: event.phase, elapsedMs: event.elapsedMs };
      return { ...view, active: undefined, completed: [...view.completed, done].slice(-MAX_METRICS) };
    }
    case "Node.Bootstrap.Failed":
      return { ...view, active: undefined, failed: `${event.phase}: ${event.error}` };
    case "Node.Bootstrap.Done":
      return { ...view, active: undefined, failed: event.success ? undefined : (event.error ?? view.failed) };
  }
}

function to(view: NodeView, status: NodeStatus, at: number): NodeView {
  return { ...view, status, since: at, phase: undefined };
}

function withMetric(view: NodeView, name: string, value: number): NodeView {
  if (!Object.hasOwn(view.metrics, name) && Object.keys(view.metrics).length >= MAX_METRICS) return view;
  return { ...view, metrics: { ...view.metrics, [name]: value } };
}
