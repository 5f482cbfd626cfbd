import type { NodeStatus, NodeView, PoolView } from "../events/views.ts";
import type { Colors } from "./colors.ts";
import { age } from "./format.ts";
import { sanitize } from "./sanitize.ts";
import { statusText } from "./status.ts";

export interface PanelSize {
  /** Of the terminal. */
  readonly columns: number;
  readonly rows: number;
  readonly colors: Colors;
}

const NODE_ROWS_MAX = 16;
/** What the log above keeps of a low terminal. */
const ROWS_LEFT = 6;
const BAR = 8;
const AGE = 6;
const MACHINE_MAX = 24;

/**
 * The rows of a pool on a terminal: a line for each node, those that need a look first, and one for the pool.
 * Pure: it is drawn anew ten times a second from the view alone.
 */
export function panelRows(view: PoolView, now: number, { columns, rows, colors }: PanelSize, name?: string): string[] {
  const room = Math.max(0, Math.min(NODE_ROWS_MAX, rows - ROWS_LEFT));
  // Of a pool that closes nobody needs to know how loaded its nodes were.
  const nodes = view.phase === "stopping" ? [] : view.nodes.filter((node) => node.status !== "gone");
  const shown = chosen(nodes, room);
  const label = Math.max(...shown.map(({ node }) => String(node).length), 1);
  const machine = Math.min(MACHINE_MAX, Math.max(...shown.map((node) => clean(node.machine ?? "").length), 0));
  const statusWidth = Math.max(...shown.map((node) => node.status.length), 0);
  const style = { colors, label, machine, status: statusWidth, bar: BAR, prefix: name === undefined ? "" : `${name}/` };
  const lines = shown.map((node) => nodeRow(node, view, now, style));
  // On a narrow terminal the numbers matter more than long bars, and than where a ready node is.
  for (const narrower of [{ bar: 4 }, { bar: 4, machine: 0 }, { bar: 0, machine: 0 }]) {
    const over = shown.some(({ status }, index) => status === "ready" && widthOf(lines[index]!) >= columns);
    if (!over) break;
    for (const [index, node] of shown.entries())
      if (node.status === "ready") lines[index] = nodeRow(node, view, now, { ...style, ...narrower });
  }
  const hidden = nodes.length - shown.length;
  if (hidden > 0 && room > 0) lines.push(colors.dim(`  … and ${hidden} more: ${otherCounts(view, shown)}`));
  const status = clean(statusText(view, now));
  return [...lines, name === undefined ? status : `${name}: ${status}`];
}

const ORDER: Readonly<Record<NodeStatus, number>> = {
  lost: 0,
  disconnected: 1,
  bootstrapping: 2,
  starting: 2,
  connecting: 2,
  provisioning: 2,
  waiting: 3,
  draining: 3,
  ready: 4,
  gone: 5,
};

/** As many nodes as fit, by rank; where not all fit, those that need a look come before the ready ones. */
function chosen(nodes: readonly NodeView[], room: number): readonly NodeView[] {
  if (nodes.length <= room) return nodes;
  return [...nodes]
    .sort((a, b) => ORDER[a.status] - ORDER[b.status] || a.node - b.node)
    .slice(0, Math.max(0, room - 1))
    .sort((a, b) => a.node - b.node);
}

function otherCounts(view: PoolView, shown: readonly NodeView[]): string {
  const counts = new Map<string, number>();
  for (const node of view.nodes) {
    if (node.status === "gone" || shown.includes(node)) continue;
    counts.set(node.status, (counts.get(node.status) ?? 0) + 1);
  }
  return [...counts].map(([status, count]) => `${count} ${status}`).join(", ");
}

interface RowStyle {
  readonly colors: Colors;
  /** Widths of columns. */
  readonly label: number;
  readonly machine: number;
  readonly status: number;
  readonly bar: number;
  readonly prefix: string;
}

function nodeRow(node: NodeView, view: PoolView, now: number, style: RowStyle): string {
  const { colors } = style;
  // Whole units: a row that changes ten times a second is hard to read.
  const since = node.status === "ready" ? node.since : (node.steps.at(-1)?.at ?? node.since);
  const head = [
    `${style.prefix}node ${String(node.node).padStart(style.label)}`,
    paint(node.status, colors)(node.status.padEnd(style.status)),
    colors.dim(age(now - since).padStart(AGE)),
  ].join("  ");
  const machine = clean(node.machine ?? "")
    .slice(0, style.machine)
    .padEnd(style.machine);
  if (node.status !== "ready")
    return [head, machine, wayText(node, colors)]
      .filter((part) => part !== "")
      .join("  ")
      .trimEnd();
  const parts = [head, machine];
  if (node.slots > 0) {
    const taken = Math.min(view.tasks.runningPerNode[node.node] ?? 0, node.slots);
    const counted = `${taken}/${node.slots}`.padEnd(2 * String(node.slots).length + 1);
    parts.push(`slots ${bar(taken / node.slots, style.bar)}${counted}`);
  }
  for (const [label, name] of GAUGES) {
    const value = node.metrics[name];
    if (value !== undefined)
      parts.push(`${label} ${bar(value / 100, style.bar)}${String(Math.round(value)).padStart(3)}%`);
  }
  const gpus = gpuText(node.metrics);
  if (gpus !== "") parts.push(gpus);
  const done = view.tasks.perNode[node.node];
  if (done !== undefined && done > 0) parts.push(colors.dim(`${done.toLocaleString("en-US")} done`));
  return parts.filter((part) => part !== "").join("  ");
}

const GAUGES = [
  ["cpu", "cpu"],
  ["mem", "mem"],
] as const;

/** One number for each GPU, as `gpu 97 95%`. */
function gpuText(metrics: Readonly<Record<string, number>>): string {
  const values: number[] = [];
  for (let i = 0; metrics[`gpu_util_${i}`] !== undefined; i++) values.push(Math.round(metrics[`gpu_util_${i}`]!));
  return values.length === 0 ? "" : `gpu ${values.join(" ")}%`;
}

/** What a node that is not ready does, and the last line of it. */
function wayText(node: NodeView, colors: Colors): string {
  const bootstrap = node.bootstrap;
  const phase = bootstrap?.active ?? node.phase;
  const last = bootstrap?.active === undefined ? undefined : bootstrap.output.at(-1);
  const more = node.problem === undefined ? colors.dim(clean(last ?? "")) : colors.red(clean(node.problem));
  return [clean(phase ?? ""), more].filter((part) => part !== "").join("  ");
}

function paint(status: NodeStatus, colors: Colors): (text: string) => string {
  if (status === "ready") return colors.green;
  if (status === "lost") return colors.red;
  return status === "disconnected" || status === "draining" ? colors.yellow : colors.cyan;
}

function bar(share: number, width: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * width);
  return width === 0 ? "" : `${"█".repeat(full)}${"░".repeat(width - full)} `;
}

function widthOf(row: string): number {
  return row.replaceAll(/\x1b\[[\d;]*m/g, "").length;
}

function clean(text: string): string {
  return sanitize(text).replaceAll("\n", " ");
}
