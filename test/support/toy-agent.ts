import { spawn } from "node:child_process";
import type { Duplex } from "node:stream";
import { openHostChannel } from "../../src/agent/host-channel.ts";

/** The agent with a host that echoes what it gets, and obeys chunks that begin with "!". For tests of what carries it. */
const [role, ...args] = process.argv.slice(2);
if (role === "supervisor") await (await import("../../src/agent/supervisor/supervisor.ts")).runSupervisor();
else if (role === "attach") await (await import("../../src/agent/attach.ts")).runAttach(args[0], args[1]);
else if (role === "clean") await (await import("../../src/agent/clean.ts")).runClean(args);
else if (role === "host") runToyHost();

function runToyHost(): void {
  let generation = 0;
  let current: { stream: Duplex; epoch: number } | undefined;
  const channel = openHostChannel({
    config: (_, number) => {
      generation = number;
      if (process.env["TOY_FAILS"] === "1") {
        console.error("toy host: no way");
        process.exit(7);
      }
    },
    link: (stream, epoch) => {
      current?.stream.destroy();
      current = { stream, epoch };
      stream.on("error", () => undefined);
      stream.on("data", (chunk: Buffer) => {
        if (chunk[0] === 0x21) obey(chunk.toString().slice(1).trim(), stream);
        else stream.write(chunk);
      });
      stream.write(`${JSON.stringify({ ok: true, pid: process.pid, generation })}\n`);
    },
    fence: (epoch) => {
      if (current !== undefined && current.epoch < epoch) current.stream.destroy();
    },
  });
  channel.ready({ accelerators: 0 });
}

function obey(command: string, stream: Duplex): void {
  const [verb, ...rest] = command.split(" ");
  if (verb === "die") process.kill(process.pid, rest[0]);
  else if (verb === "exit") process.exit(Number(rest[0]));
  else if (verb === "print") console.error(rest.join(" "));
  else if (verb === "spawn") {
    const sleep = "process.stdout.write(process.pid + '\\n'); setInterval(() => {}, 1000)";
    const nested = `require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(sleep)}], { stdio: "inherit" })`;
    const env = { PATH: process.env["PATH"] ?? "" };
    const options = {
      plain: {},
      bare: { env },
      detached: { detached: true },
    }[rest[0] as "plain" | "bare" | "detached"];
    const child = spawn(process.execPath, ["-e", nested], { ...options, stdio: ["ignore", "pipe", "ignore"] });
    child.stdout?.on("data", (chunk: Buffer) => stream.write(`${child.pid} ${chunk.toString()}`));
  }
}
