import { spawn } from "node:child_process";
import { quote } from "../../image/quote.ts";
import type { MachineCommand, MachineProcess } from "../provider.ts";

/** A script may export secrets: it is in the environment, which others can't read, and not among the arguments. */
const SCRIPT = "SKYWARD_SCRIPT";
const RUN = `sky_script=$${SCRIPT}; unset ${SCRIPT}; eval "$sky_script"`;

/** A command on this computer, in a process group of its own. A terminal is made by `script`, of util-linux. */
export function localProcess(command: MachineCommand, agent: string): MachineProcess {
  const [file, ...args] = wordsOf(command, agent);
  const env = { ...process.env };
  if ("script" in command) env[SCRIPT] = command.script;
  if ("script" in command && command.pty) env["TERM"] = command.pty.term;
  const child = spawn(file, args, { detached: true, env, stdio: "pipe" });
  const exit = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once("close", (code, signal) => resolve({ code, signal }));
    child.once("error", () => resolve({ code: 127, signal: null }));
  });
  child.stdin.on("error", () => undefined);
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    exit,
    // Its terminal can't be told from here.
    resize: () => undefined,
    kill: () => {
      try {
        process.kill(-child.pid!, "SIGKILL");
      } catch {
        // It has ended.
      }
    },
  };
}

function wordsOf(command: MachineCommand, agent: string): readonly [string, ...string[]] {
  if ("agent" in command) return [process.execPath, agent, ...command.agent];
  if (command.pty === undefined) return ["sh", "-c", RUN];
  const { columns, rows } = command.pty;
  return ["script", "-qec", `stty cols ${columns} rows ${rows}; exec sh -c ${quote(RUN)}`, "/dev/null"];
}
