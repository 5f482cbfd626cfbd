import { describe, expect, it } from "vitest";
import { Program, type ProgramEnd } from "../support/run-program.ts";

/** What a local agent may take to notice that its controller is gone. */
const NOTICE_MS = 2000;

interface Leave {
  readonly how: string;
  /** How the program leaves by itself; "hold": it waits for what `act` does. */
  readonly leave: string;
  readonly act?: (program: Program) => void | Promise<void>;
  readonly end: Partial<ProgramEnd>;
  /** The program closes its pools before it ends. */
  readonly orderly: boolean;
}

const interrupted: ProgramEnd = { code: null, signal: "SIGINT" };
const LEAVES: Record<string, Leave> = {
  scope: { how: "its scope ends", leave: "scope", end: { code: 0 }, orderly: true },
  throw: { how: "an exception", leave: "throw", end: { code: 0 }, orderly: true },
  interrupt: {
    how: "SIGINT",
    leave: "hold",
    act: (program) => program.kill("SIGINT"),
    end: interrupted,
    orderly: true,
  },
  group: {
    how: "SIGINT to its process group",
    leave: "hold",
    act: (program) => program.killGroup("SIGINT"),
    end: interrupted,
    orderly: true,
  },
  own: {
    how: "SIGINT with a handler of its own",
    leave: "own-handler",
    act: (program) => program.kill("SIGINT"),
    end: { code: 9 },
    orderly: true,
  },
  term: {
    how: "SIGTERM",
    leave: "hold",
    act: (program) => program.kill("SIGTERM"),
    end: { code: null, signal: "SIGTERM" },
    orderly: true,
  },
  hangup: {
    how: "SIGHUP",
    leave: "hold",
    act: (program) => program.kill("SIGHUP"),
    end: { code: null, signal: "SIGHUP" },
    orderly: true,
  },
  abort: { how: "its signal aborts", leave: "abort", end: { code: 0 }, orderly: true },
  kill: {
    how: "kill -9",
    leave: "hold",
    act: (program) => program.kill("SIGKILL"),
    end: { code: null, signal: "SIGKILL" },
    orderly: false,
  },
  exit: { how: "process.exit", leave: "exit", end: { code: 7 }, orderly: false },
};

async function leaveBy(
  work: string,
  { leave, act, end, orderly }: Leave,
  before?: (program: Program) => Promise<void>,
): Promise<void> {
  await using program = Program.start("leaving", { args: [work, leave] });
  await program.says(/^ready/m);
  await before?.(program);
  await act?.(program);
  expect(await program.exit, program.output).toMatchObject(end);
  // The program's own compiler hears of its end by a pipe, a moment later.
  const left = [...program.processes, ...program.files].filter((line) => !/esbuild .*--service/.test(line));
  if (orderly) expect(left, program.output).toEqual([]);
  await program.gone(NOTICE_MS);
  expect(program.output).not.toContain("LEFT");
  if (orderly && work === "all") expect(program.output).toContain("tasks SKY_POOL_CLOSED\n");
  if (leave === "own-handler") expect(program.output).toContain("own handler");
}

describe.concurrent("nothing is left of a pool that is at work", () => {
  it.for(Object.keys(LEAVES).filter((name) => name !== "abort"))("after %s", async (name) => {
    await leaveBy("all", LEAVES[name]!, async (program) => {
      // Two supervisors, two hosts and nine children on each: the count shows that there is something to find.
      const [, count] = await program.says(/^ready (\d+)/m);
      expect(Number(count)).toBeGreaterThanOrEqual(22);
    });
  });
});

describe.concurrent("nothing is left of a pool whose hosts are stopped", () => {
  const stop = async (program: Program): Promise<void> => {
    const [, pids] = await program.says(/^hosts (.*)/m);
    for (const pid of pids!.split(" ")) process.kill(Number(pid), "SIGSTOP");
  };

  it.for(["interrupt", "kill"])("after %s", (name) => leaveBy("stopped", LEAVES[name]!, stop));

  it("and a second Ctrl-C ends the program at once", async () => {
    await using program = Program.start("leaving", { args: ["stopped", "hold"] });
    await program.says(/^ready/m);
    await stop(program);
    program.kill("SIGINT");
    await program.says(/^tasks/m);
    program.kill("SIGINT");
    const second = performance.now();
    expect(await program.exit).toMatchObject(interrupted);
    expect(performance.now() - second).toBeLessThan(300);
    expect(program.output).not.toContain("nothing is left");
    await program.gone(NOTICE_MS);
  });
});

describe.concurrent.each([
  ["spawning", "whose agents are being spawned"],
  ["starting", "whose first node is up"],
])("nothing is left of a pool %s: %s", (work) => {
  it.for(["abort", "interrupt", "term", "kill", "exit"])("after %s", (name) => leaveBy(work, LEAVES[name]!));
});
