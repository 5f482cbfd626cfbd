import { randomBytes } from "node:crypto";
import { execFile, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { COMMAND_MARKER, killTree } from "../../agent/process-tree.ts";
import { quote } from "../../image/quote.ts";
import type { MachineCommand, MachineProcess } from "../provider.ts";

/** A script may export secrets: it is in the environment, which others can't read, and not among the arguments. */
const SCRIPT = "SKYWARD_SCRIPT";
const RUN = `sky_script=$${SCRIPT}; unset ${SCRIPT}; eval "$sky_script"`;

/**
 * A command on this computer, in a process group of its own. A terminal is made by `script`, of util-linux.
 * @param dir the run directory of the agent that it runs beside, and ends with
 */
export function localProcess(command: MachineCommand, agent: string, dir: string): MachineProcess {
  const [file, ...args] = wordsOf(command, agent);
  const mark = `${dir}:${randomBytes(8).toString("hex")}`;
  const env: NodeJS.ProcessEnv = { ...process.env, [COMMAND_MARKER]: mark };
  if ("script" in command) env[SCRIPT] = command.script;
  const pty = "script" in command ? command.pty : undefined;
  if (pty !== undefined) env["TERM"] = pty.term;
  const child = spawn(file, args, { detached: true, env, stdio: ["pipe", "pipe", "pipe", pty ? "pipe" : "ignore"] });
  const exit = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once("close", (code, signal) => resolve({ code, signal }));
    child.once("error", () => resolve({ code: 127, signal: null }));
  });
  child.stdin!.on("error", () => undefined);
  const terminal = pty === undefined ? undefined : nameOf(child.stdio[3] as Readable);
  return {
    stdin: child.stdin!,
    stdout: child.stdout!,
    stderr: child.stderr!,
    exit,
    resize: (columns, rows) =>
      void terminal?.then((name) => {
        if (name !== "") execFile("stty", ["-F", name, "cols", String(columns), "rows", String(rows)], () => undefined);
      }),
    kill: () => {
      try {
        process.kill(-child.pid!, "SIGKILL");
      } catch {
        // It has ended.
      }
      // What left its group too.
      void killTree({ commands: mark });
    },
  };
}

/** What the shell in the terminal says of it, on a descriptor of its own. */
async function nameOf(from: Readable): Promise<string> {
  let said = "";
  try {
    // `script` holds the descriptor for as long as it runs.
    for await (const chunk of from) {
      said += String(chunk);
      if (said.endsWith("\n")) break;
    }
  } catch {
    return "";
  }
  return said.trim();
}

function wordsOf(command: MachineCommand, agent: string): readonly [string, ...string[]] {
  if ("agent" in command) return [process.execPath, agent, ...command.agent];
  if (command.pty === undefined) return ["sh", "-c", RUN];
  const { columns, rows } = command.pty;
  const shell = `stty cols ${columns} rows ${rows}; exec 3>&- sh -c ${quote(RUN)}`;
  return ["script", "-qec", `tty >&3; ${shell}`, "/dev/null"];
}
