import { mkdirSync, rmSync } from "node:fs";
import { type AgentConfig, type ProcessIdentity, parseAgentConfig, workDir } from "../config.ts";
import { killTree, startTimeOf, type Tree } from "../process-tree.ts";
import { HostKeeper } from "./host-keeper.ts";
import { watchParent } from "./lifeline.ts";
import { Lease } from "./lease.ts";
import { Links } from "./links.ts";
import { Collectors } from "./metrics/collectors.ts";
import { makeRunDir, removeRunDir } from "./run-dir.ts";
import { detachStdio, readLine, writeLine } from "./stdio.ts";

const CLOSED = "the pool was closed";
const CONFIG_MAX_BYTES = 1024 * 1024;
/** How long an agent on a borrowed machine takes a link for alive on which nothing comes. */
const BORROWED_SILENCE_MS = 600_000;

export interface SupervisorOptions {
  /** How to start a host. @default this program with the argument `host` */
  readonly hostCommand?: readonly [file: string, ...args: string[]];
}

/** What a supervisor says on its stdout, once. */
export type ReadyLine =
  | ({ readonly ready: true } & ProcessIdentity)
  | { readonly ready: false; readonly code: string; readonly error: string };

/** The process that owns a node: it runs no user code, and when it ends, nothing of the node is left. */
export async function runSupervisor({
  hostCommand = [process.argv[1]!, "host"],
}: SupervisorOptions = {}): Promise<void> {
  let config: AgentConfig;
  try {
    config = parseAgentConfig(readLine(0, CONFIG_MAX_BYTES) ?? "");
    makeRunDir(config.dir);
    if (config.parent === null) mkdirSync(workDir(config.dir), { recursive: true });
  } catch (error) {
    return fail(error);
  }
  const self: ProcessIdentity = { pid: process.pid, startTime: startTimeOf(process.pid) ?? "" };
  const tree: Tree = { below: process.pid, session: self, run: config.dir };
  let ending = false;
  const end = async (why: string, orderly: boolean): Promise<void> => {
    if (ending) return;
    ending = true;
    collectors[Symbol.dispose]();
    lease?.[Symbol.dispose]();
    // That it ends with its pool is no news.
    if (why !== CLOSED) links.log({ type: "log", level: "info", line: `the agent ends: ${why}` });
    await hosts.stop(orderly, why);
    removeRunDir(config.dir);
    process.exit(0);
  };

  const links = new Links({
    config,
    hosts: () => hosts,
    end: () => void end(CLOSED, true),
    keep: (ms) => {
      lease?.keep(ms);
      // Nothing of what one program ran is there when the next one comes.
      void hosts.renew();
    },
    controlled: (held) => {
      lease?.held(held);
      // Behind what the link itself has to say.
      if (held) setImmediate(() => collectors.listened());
    },
    heard: () => lease?.renew(),
  });
  const hosts = new HostKeeper({
    config,
    hostCommand,
    tree,
    ready: (state) => links.hostReady(state),
    dead: (death) => {
      lease?.busy(false);
      links.hostDead(death);
    },
    said: (message) => (message.type === "busy" ? lease?.busy(message.busy) : links.hostSaid(message)),
    printed: (line) => links.log(line),
  });
  const collectors = new Collectors({
    specs: config.metrics,
    send: (samples) => links.metrics(samples),
    problem: (line) => links.log({ type: "log", level: "warn", line }),
  });
  const lease =
    config.parent === null
      ? new Lease({
          graceMs: config.orphanGraceMs,
          silenceMs: config.leaseFile === undefined ? BORROWED_SILENCE_MS : config.orphanGraceMs,
          file: config.leaseFile,
          over: (why) => {
            lease?.end();
            void end(why, false);
          },
        })
      : undefined;

  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => void end(signal, true));
  process.on("uncaughtException", (error) => {
    writeLine(2, String(error.stack));
    void end(`an error of its own: ${error.message}`, false);
  });

  // First of all: the host starts while the rest of this process does.
  hosts.start();
  try {
    await links.listen();
  } catch (error) {
    await killTree(tree);
    return fail(error);
  }
  sayReady({ ready: true, ...self });
  if (config.parent === null) detachStdio();
  else {
    watchParent(config.parent, (why) => {
      if (config.leftover !== undefined) rmSync(config.leftover, { force: true });
      void end(why, false);
    });
  }
}

function fail(error: unknown): never {
  const code = error instanceof Error && "code" in error ? String(error.code) : "SKY_AGENT_FAILED";
  sayReady({ ready: false, code, error: error instanceof Error ? error.message : String(error) });
  process.exit(1);
}

function sayReady(line: ReadyLine): void {
  writeLine(1, JSON.stringify(line));
}
