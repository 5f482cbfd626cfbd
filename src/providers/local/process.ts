import { spawn } from "node:child_process";
import { quote } from "../../image/quote.ts";
import type { MachineCommand, MachineProcess } from "../provider.ts";

/** A command on this computer, in a process group of its own. A terminal is made by `script`, of util-linux. */
export function localProcess(command: MachineCommand, agent: string): MachineProcess {
  const [file, ...args] = wordsOf(command, agent);
  const env = { ...process.env };
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
  if (command.pty === undefined) return ["sh", "-c", command.script];
  const { columns, rows } = command.pty;
  return ["script", "-qec", `stty cols ${columns} rows ${rows}; exec sh -c ${quote(command.script)}`, "/dev/null"];
}
