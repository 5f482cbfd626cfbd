// The process executor: a process for each slot, whose death is its task's alone.
import assert from "node:assert/strict";
import { execFileSync, execSync, spawn } from "node:child_process";
import { writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import * as sky from "skyward";
import { isAlive as runs } from "../../../src/agent/process-tree.ts";
import { failure, holds, point } from "../../support/point.ts";

const double = sky.fn((x: number) => x * 2);
const pid = sky.fn(() => process.pid);
const nap = sky.fn(async (ms: number) => {
  await sleep(ms);
  return process.pid;
});
const calls = (count: number): never[] => Array.from<never>({ length: count });
const isAlive = (one: number): boolean => runs({ pid: one, startTime: "" });

const worker = { concurrency: 2, executor: "process" } as const;
await sky.compute({ worker, console: "silent", retryOnInterruption: 0 }, async (pool) => {
  const lines: { task: string | undefined; stream: string; message: string }[] = [];
  let heard = (): void => {};
  void (async () => {
    for await (const event of pool.events) {
      if (event.type !== "Log.Emitted") continue;
      lines.push({ task: event.task, stream: event.stream, message: event.message });
      heard();
    }
  })();
  const line = async (message: string): Promise<(typeof lines)[number]> => {
    for (;;) {
      const found = lines.find((one) => one.message === message);
      if (found) return found;
      await new Promise<void>((resolve) => (heard = resolve));
    }
  };

  await point("each slot is a process of its own, and goes on to the next task", async () => {
    const both = new Set(await pool.map(nap, [150, 150]));
    assert.equal(both.size, 2);
    const items = Array.from({ length: 3000 }, (_, i) => i);
    assert.deepEqual(
      await pool.map(double, items),
      items.map((i) => 2 * i),
    );
    for (const one of await pool.map(pid, calls(200))) holds(both.has(one), `${one} is not one of ${[...both].join()}`);
    holds(!both.has(process.pid));
  });

  await point("each process is a worker of its node", async () => {
    const where = sky.fn(async () => {
      await sleep(100);
      const { worker: index, workersPerNode, isHead } = sky.instanceInfo();
      return { index, workersPerNode, isHead };
    });
    const found = await pool.map(where, calls(2));
    assert.deepEqual(
      found.toSorted((a, b) => a.index - b.index),
      [
        { index: 0, workersPerNode: 2, isHead: true },
        { index: 1, workersPerNode: 2, isHead: false },
      ],
    );
  });

  await point("values, errors, outputs and task context are those of threads", async () => {
    const shared = { name: "x" };
    const echo = sky.fn((value: unknown) => ({ value, id: sky.task().id, attempt: sky.task().attempt }));
    const task = pool.run(echo(new Map<unknown, unknown>([[shared, new Set([1n, shared])]])));
    const { value, id, attempt } = await task;
    const [[key, set]] = [...(value as Map<object, Set<unknown>>)] as [[object, Set<unknown>]];
    holds(set.has(key) && set.has(1n));
    assert.deepEqual([id, attempt], [task.id, 1]);
    const big = await pool.run(echo(new Uint8Array(3_000_000).fill(7)));
    assert.equal((big.value as Uint8Array)[2_999_999], 7);
    const error = await failure(
      pool.run(
        sky.fn(() => {
          throw new RangeError("no");
        })(),
      ),
    );
    holds(error instanceof RangeError && /process\.ts/.test(error.stack ?? ""), error.stack);
    const printed = pool.run(
      sky.fn(() => {
        console.log("printed by console");
        process.stdout.write("and no newline");
      })(),
    );
    await printed;
    assert.equal((await line("printed by console")).task, printed.id);
    assert.equal((await line("and no newline")).task, printed.id);
  });

  await point("short tasks behind a blocked one run elsewhere", async () => {
    const work = sky.fn((ms: number) => {
      if (ms > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
      return [performance.timeOrigin + performance.now(), process.pid] as const;
    });
    await pool.map(work, calls(500).fill(0 as never));
    const ends = await pool.map(work, [2000, ...Array.from({ length: 199 }, () => 0)]);
    const first = ends[0]!;
    for (const [at, by] of ends.slice(1))
      holds(by !== first[1] && at < first[0] - 500, `${first[0] - at} ms before the blocked one's end, by ${by}`);
  });

  await point("what a function writes to its descriptors by itself is its task's", async () => {
    const write = sky.fn((name: string) => {
      execSync(`echo "${name} by a shell"; echo "${name} as an error" >&2`, { stdio: "inherit" });
      writeSync(1, `${name} by hand\n`);
    });
    const tasks = ["a", "b", "c", "d"].map((name) => pool.run(write(name)));
    await Promise.all(tasks);
    for (const [index, name] of ["a", "b", "c", "d"].entries()) {
      const { id } = tasks[index]!;
      assert.deepEqual(await line(`${name} by a shell`), { task: id, stream: "stdout", message: `${name} by a shell` });
      assert.deepEqual(await line(`${name} as an error`), {
        task: id,
        stream: "stderr",
        message: `${name} as an error`,
      });
      assert.equal((await line(`${name} by hand`)).task, id);
    }
    // One after the other in one process, too short to be told apart by time.
    const quick = sky.fn((i: number) => writeSync(1, `${sky.task().id} is ${i}\n`));
    await pool.map(
      quick,
      Array.from({ length: 300 }, (_, i) => i),
    );
    await pool.run(sky.fn(() => writeSync(1, "hidden\n"), { silent: true })());
    await pool.run(sky.fn(() => writeSync(1, "shown\n"))());
    await line("shown");
    const many = lines.filter(({ message }) => / is \d+$/.test(message));
    assert.equal(many.length, 300);
    for (const { task, message } of many) assert.equal(message.split(" ")[0], task);
    holds(!lines.some(({ message }) => message.includes("hidden")));
  });

  /** Dies alone: it fails with what it was, the one beside it has its result in its first attempt, the pool works on. */
  const deadly = async (body: () => unknown, says: RegExp, details: object): Promise<sky.SkyError> => {
    const neighbour = pool.run(nap(400));
    const task = pool.run(sky.fn(body as () => Promise<void>, { name: "deadly" })());
    const error = await failure(task);
    holds(error instanceof sky.SkyError, `${error.name}: ${error.message}`);
    assert.equal(error.code, "SKY_TASK_LOST", error.message);
    assert.match(error.message, says);
    for (const [name, value] of Object.entries(details)) assert.equal(error.details[name], value, name);
    await neighbour;
    assert.equal(neighbour.attempts.length, 1);
    assert.deepEqual(await pool.map(double, [1, 2, 3]), [2, 4, 6]);
    return error;
  };

  await point("a segmentation fault harms its task only, which says so", async () => {
    const error = await deadly(
      () => {
        writeSync(2, "just before\n");
        process.kill(process.pid, "SIGSEGV");
      },
      /its process was ended by SIGSEGV: just before/,
      { signal: "SIGSEGV" },
    );
    assert.match(String(error.details["stderr"]), /just before/);
  });
  await point("process.exit", async () => {
    await deadly(() => process.exit(3), /its process ended with exit code 3/, { exitCode: 3 });
  });
  await point("abort", async () => {
    await deadly(() => process.abort(), /SIGABRT/, { signal: "SIGABRT" });
  });
  await point("kill -9 from outside", async () => {
    await deadly(
      async () => {
        execSync(`kill -9 ${process.pid}`);
        await new Promise(() => {});
      },
      /SIGKILL/,
      { signal: "SIGKILL" },
    );
  });

  await point("an error that nobody caught", async () => {
    const throwing = sky.fn(async () => {
      setTimeout(() => {
        throw new RangeError("from a timer");
      }, 5);
      await new Promise(() => {});
    });
    const error = await failure(pool.run(throwing()));
    assert.match(error.message, /from a timer/);
    assert.equal(await pool.run(double(2)), 4);
  });

  await point("what a dead process has started ends with it, wherever it went", async () => {
    const pids: number[] = [];
    const parent = sky.fn(async () => {
      const plain = spawn("sleep", ["60"], { stdio: "ignore" }).pid!;
      const away = spawn("setsid", ["sleep", "60"], { stdio: "ignore", detached: true }).pid!;
      await sleep(50);
      console.log(`started ${plain} ${away}`);
      await sleep(50);
      process.exit(1);
    });
    await failure(pool.run(parent()));
    const said = lines.find(({ message }) => message.startsWith("started"))!.message;
    pids.push(...said.split(" ").slice(1).map(Number));
    assert.deepEqual(pids.map(isAlive), [false, false]);
  });

  await point("a program without arguments, and without descriptors of ours in its children", async () => {
    const look = sky.fn(() => ({
      args: process.argv.length,
      fds: execFileSync("ls", ["/proc/self/fd"]).toString().trim().split("\n").length,
    }));
    // As many as a child of this program has.
    assert.deepEqual(await pool.run(look()), { ...look.local(), args: 2 });
  });
});

await sky.compute({ worker, console: "silent", retryOnInterruption: 1 }, async (pool) => {
  await point("a lost task runs again", async () => {
    const second = sky.fn(() => {
      if (sky.task().attempt === 1) process.kill(process.pid, "SIGSEGV");
      return sky.task().attempt;
    });
    const task = pool.run(second());
    assert.equal(await task, 2);
    assert.match(task.attempts[0]!.reason!, /SIGSEGV/);
    const never = pool.run(sky.fn(() => process.exit(1), { rerun: "never" })());
    assert.equal((await failure(never)).code, "SKY_TASK_LOST");
    assert.equal(never.attempts.length, 1);
  });
});

const small = { NODE_OPTIONS: "--max-old-space-size=64" };
await sky.compute({ worker, console: "silent", retryOnInterruption: 0, env: small }, async (pool) => {
  await point("a full heap", async () => {
    const neighbour = pool.run(nap(400));
    const fill = sky.fn(() => {
      const kept: unknown[] = [];
      for (;;) kept.push(Array.from({ length: 100_000 }, (_, i) => ({ i })));
    });
    const error = await failure(pool.run(fill()));
    assert.match(error.message, /SIGABRT: FATAL ERROR: .*heap/);
    await neighbour;
    assert.equal(neighbour.attempts.length, 1);
  });
});

const fresh = { concurrency: 2, executor: "process", reuseProcesses: false, killGrace: "300ms" } as const;
await sky.compute({ worker: fresh, console: "silent" }, async (pool) => {
  await point("worker.reuseProcesses: false gives each task a process of its own", async () => {
    const pids = await pool.map(pid, calls(8));
    assert.equal(new Set(pids).size, 8);
    const began = performance.now();
    await pool.run(pid());
    const first = performance.now() - began;
    holds(first < 1000, `${first} ms`);
    await pool.run(nap(50));
    for (const one of pids) holds(!isAlive(one), `${one} still runs`);
  });

  await point("fresh processes: cancelled while it waits, and while it runs", async () => {
    const running = [pool.run(nap(60_000)), pool.run(nap(60_000))];
    const waiting = Array.from({ length: 4 }, () => pool.run(nap(60_000)));
    await pool.run(sky.fn(() => 1, { queueTimeout: "50ms" })()).catch(() => {});
    for (const task of [...waiting, ...running]) task.cancel();
    await Promise.allSettled([...waiting, ...running]);
    assert.equal(await pool.run(double(4)), 8);
  });
});

await sky.compute({ worker: { ...worker, concurrency: 1, buffer: 2 }, console: "silent" }, async (pool) => {
  await point("worker.buffer: so many tasks wait on the node", async () => {
    await pool.run(nap(1));
    const tasks = Array.from({ length: 6 }, () => pool.run(nap(200)));
    await tasks[0];
    // One runs, two wait beside it, the others are still here.
    const sent = tasks.filter((task) => task.node !== undefined).length;
    holds(sent >= 3 && sent <= 4, `${sent} were sent`);
    await Promise.all(tasks);
  });
});

await point("worker's options are checked", async () => {
  const refused = async (options: object, says: RegExp): Promise<void> => {
    const error = await failure(() => sky.compute({ worker: options, console: "silent" }, () => 1));
    assert.equal(error.code, "SKY_BAD_OPTION");
    assert.match(`${error.message} ${error.hint}`, says);
  };
  await refused({ executor: "proces" }, /worker\.executor must be "auto" or "thread" or "process".*"process"/);
  await refused({ executor: "thread", reuseProcesses: false }, /reuseProcesses.*"process"/);
  await refused({ reuseProcesses: 1 }, /true or false/);
  await refused({ buffer: -1 }, /worker\.buffer must be a whole number from 0/);
  await refused({ bufer: 1 }, /buffer/);
});
