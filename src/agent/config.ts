import { SkyError } from "../errors/sky-error.ts";
import type { MetricSpec } from "./metric-spec.ts";

/** Version of `AgentConfig`; an agent refuses another one by name. */
export const AGENT_VERSION = 1;

/** Node 20 cuts a longer unix socket path without a word, and two nodes then share one socket. */
export const MAX_SOCKET_PATH = 100;

/** A process that can't be mistaken for a later one with the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of `/proc/<pid>/stat`; empty where there is no /proc. */
  readonly startTime: string;
}

/** What the controller tells a supervisor: one line of JSON on its stdin, never in its arguments. */
export interface AgentConfig {
  readonly version: typeof AGENT_VERSION;
  /** What every link must show: 64 hexadecimal digits. */
  readonly token: string;
  readonly epoch: number;
  /** The run directory, 0700; the agent's socket is `s` in it. */
  readonly dir: string;
  readonly rank: number;
  readonly pool: string;
  /** Tasks at a time on this node. */
  readonly concurrency: number;
  /** `auto`: threads, but processes for functions with native packages. */
  readonly executor: "auto" | "thread" | "process";
  /** Whether a process runs one task after the other, or only one. */
  readonly reuseProcesses: boolean;
  /** After a task is told to stop, how long its thread has before it is replaced or terminated, in milliseconds. */
  readonly killGraceMs: number;
  /** Added to the environment of the host. */
  readonly env: Readonly<Record<string, string>>;
  /** What the supervisor measures. */
  readonly metrics: readonly MetricSpec[];
  /** Local only: the controller. The supervisor ends within 500 ms of its death. */
  readonly parent: ProcessIdentity | null;
  /** With `parent`: a file of the controller's that is removed when it has died without a word. */
  readonly leftover?: string;
  /** Without `parent`: how long an agent that lost its control link waits for the next one, in milliseconds. */
  readonly orphanGraceMs: number;
  /** Where the machine looks for the second of its uptime at which it ends; the agent puts it off. */
  readonly leaseFile?: string;
}

/** What a host needs to know: everything but the right to open links. */
export type HostConfig = Omit<AgentConfig, "token">;

/** What a provider adds by itself. */
export type NodeConfig = Omit<AgentConfig, "dir" | "parent" | "orphanGraceMs" | "leaseFile">;

/** Where tasks run, on a machine that is not the program's own. */
export const workDir = (dir: string): string => `${dir}/work`;

export const socketPath = (dir: string): string => `${dir}/s`;

/** @throws SkyError SKY_WIRE_VERSION or SKY_AGENT_FAILED */
export function parseAgentConfig(line: string): AgentConfig {
  let value: Partial<Record<keyof AgentConfig, unknown>>;
  try {
    value = JSON.parse(line) as typeof value;
  } catch (cause) {
    throw new SkyError("SKY_AGENT_FAILED", "the agent's configuration is not a line of JSON", { cause });
  }
  if (typeof value !== "object" || value === null)
    throw new SkyError("SKY_AGENT_FAILED", "the agent got no configuration");
  if (value.version !== AGENT_VERSION) {
    const theirs = JSON.stringify(value.version);
    throw new SkyError(
      "SKY_WIRE_VERSION",
      `this agent reads version ${AGENT_VERSION} of its configuration, not ${theirs}`,
    );
  }
  const wrong = Object.entries(FIELDS).find(([name, fits]) => !fits(value[name as keyof AgentConfig]));
  if (wrong !== undefined) throw new SkyError("SKY_AGENT_FAILED", `the agent's configuration has a bad "${wrong[0]}"`);
  const config = value as unknown as AgentConfig;
  const path = socketPath(config.dir);
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH) {
    throw new SkyError("SKY_AGENT_FAILED", `the agent's socket path is longer than ${MAX_SOCKET_PATH} bytes: ${path}`);
  }
  return config;
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isInterval = (value: unknown): boolean => isCount(value) && (value as number) >= 100;
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const FIELDS: Readonly<Record<Exclude<keyof AgentConfig, "version">, (value: unknown) => boolean>> = {
  token: (value) => typeof value === "string" && /^[0-9a-f]{64}$/.test(value),
  epoch: isCount,
  dir: (value) => typeof value === "string" && value.startsWith("/") && value.length > 1,
  rank: isCount,
  pool: (value) => typeof value === "string",
  concurrency: (value) => isCount(value) && value !== 0,
  executor: (value) => value === "auto" || value === "thread" || value === "process",
  reuseProcesses: (value) => typeof value === "boolean",
  killGraceMs: isCount,
  env: (value) => isObject(value) && Object.values(value).every((one) => typeof one === "string"),
  metrics: (value) => Array.isArray(value) && value.every((one) => isObject(one) && isInterval(one["intervalMs"])),
  parent: (value) =>
    value === null || (isObject(value) && isCount(value["pid"]) && typeof value["startTime"] === "string"),
  orphanGraceMs: isCount,
  leftover: (value) => value === undefined || (typeof value === "string" && value.startsWith("/")),
  leaseFile: (value) => value === undefined || (typeof value === "string" && value.startsWith("/")),
};
