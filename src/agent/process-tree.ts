import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { ProcessIdentity } from "./config.ts";

/** Every process of a node's host carries this variable with the run directory. */
export const RUN_MARKER = "SKYWARD_RUN";
/** Commands that a pool runs beside its agent carry the run directory and, behind a colon, a text of their own. */
export const COMMAND_MARKER = "SKYWARD_EXEC";
/** And every process that runs tasks, with all that it starts, one with a text of its own. */
export const SLOT_MARKER = "SKYWARD_SLOT";
/** And whatever a task starts, one with a text of that task. */
export const TASK_MARKER = "SKYWARD_TASK";

/** A round of killing finds what was forked during the round before it; after this long the kernel can't end them. */
const KILL_LIMIT_MS = 3000;

interface ProcessEntry extends ProcessIdentity {
  readonly ppid: number;
  readonly session: number;
  readonly zombie: boolean;
}

/** Processes that belong together. What is given adds up; descendants of all that is found belong too. */
export interface Tree {
  /** Its descendants belong, it does not. */
  readonly below?: number;
  readonly root?: ProcessIdentity;
  /** Members of the session that this process leads or led, it included. */
  readonly session?: ProcessIdentity;
  /** Processes started with this run directory in their environment, however far they detached. */
  readonly run?: string;
  /** Commands beside the agent of this run directory, or one of them: `<run directory>:<its text>`. */
  readonly commands?: string;
  /** Those that carry one of these texts as the mark of their slot or their task. */
  readonly marks?: ReadonlySet<string>;
}

/** The start time that tells a process from a later one with the same number, or undefined when there is none. */
export function startTimeOf(pid: number): string | undefined {
  return readProcess(pid)?.startTime;
}

/** Whether the process still runs. A zombie does not. */
export function isAlive({ pid, startTime }: ProcessIdentity): boolean {
  const entry = readProcess(pid);
  return entry !== undefined && !entry.zombie && (startTime === "" || entry.startTime === startTime);
}

/** Pids of all living processes of a tree, never the caller's own. */
export function findTree(tree: Tree): number[] {
  const entries = readProcesses().filter((entry) => !entry.zombie);
  const found = new Set<number>();
  const session = tree.session;
  const leader = session === undefined ? undefined : entries.find((entry) => entry.pid === session.pid);
  const sessionIsOurs = leader === undefined || session?.startTime === "" || leader.startTime === session?.startTime;
  for (const entry of entries) {
    const { pid } = entry;
    if (tree.root?.pid === pid && (tree.root.startTime === "" || tree.root.startTime === entry.startTime))
      found.add(pid);
    else if (session !== undefined && sessionIsOurs && entry.session === session.pid) found.add(pid);
    else if (tree.run !== undefined && markOf(pid, RUN_MARKER) === tree.run) found.add(pid);
    else if (tree.commands !== undefined && isCommand(markOf(pid, COMMAND_MARKER), tree.commands)) found.add(pid);
    else if (tree.marks !== undefined && isMarked(pid, tree.marks)) found.add(pid);
  }
  addDescendants(entries, found, tree.below);
  found.delete(process.pid);
  return [...found];
}

/**
 * Ends all processes of a tree at once, those that are forked meanwhile too, and returns when none is left.
 * Out of reach is only a process that left the session, emptied its environment and lost its parent.
 */
export async function killTree(tree: Tree): Promise<void> {
  const deadline = performance.now() + KILL_LIMIT_MS;
  for (let pids = findTree(tree); pids.length > 0 && performance.now() < deadline; pids = findTree(tree)) {
    for (const pid of pids) kill(pid);
    await delay(3);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself, or belongs to somebody else by now.
  }
}

function addDescendants(entries: readonly ProcessEntry[], found: Set<number>, below: number | undefined): void {
  const children = new Map<number, number[]>();
  for (const { pid, ppid } of entries) {
    const siblings = children.get(ppid);
    if (siblings === undefined) children.set(ppid, [pid]);
    else siblings.push(pid);
  }
  const queue = below === undefined ? [...found] : [...found, below];
  for (let pid = queue.pop(); pid !== undefined; pid = queue.pop()) {
    for (const child of children.get(pid) ?? []) {
      if (found.has(child)) continue;
      found.add(child);
      queue.push(child);
    }
  }
}

function isMarked(pid: number, marks: ReadonlySet<string>): boolean {
  return [SLOT_MARKER, TASK_MARKER].some((name) => marks.has(markOf(pid, name) ?? ""));
}

function isCommand(mark: string | undefined, wanted: string): boolean {
  return mark !== undefined && (mark === wanted || mark.startsWith(`${wanted}:`));
}

function markOf(pid: number, name: string): string | undefined {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, "latin1").split("\0");
    return environment.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1);
  } catch {
    return undefined;
  }
}

const hasProc = process.platform === "linux";

function readProcess(pid: number): ProcessEntry | undefined {
  if (!hasProc) return listProcesses(["-p", String(pid)])[0];
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name before the last parenthesis may hold anything.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const zombie = fields[0] === "Z" || fields[0] === "X";
    return { pid, ppid: Number(fields[1]), session: Number(fields[3]), zombie, startTime: fields[19] ?? "" };
  } catch {
    return undefined;
  }
}

function readProcesses(): ProcessEntry[] {
  if (!hasProc) return listProcesses(["-A"]);
  return readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? (readProcess(Number(name)) ?? []) : []));
}

/** Without /proc: group instead of session, and no start times. */
function listProcesses(which: readonly string[]): ProcessEntry[] {
  const { stdout } = spawnSync("ps", [...which, "-o", "pid=,ppid=,pgid=,stat="], { encoding: "utf8" });
  return (stdout ?? "").split("\n").flatMap((line) => {
    const [pid, ppid, session, stat] = line.trim().split(/\s+/);
    if (stat === undefined) return [];
    return [
      { pid: Number(pid), ppid: Number(ppid), session: Number(session), zombie: stat.startsWith("Z"), startTime: "" },
    ];
  });
}
