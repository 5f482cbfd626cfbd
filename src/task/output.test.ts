import { Worker } from "node:worker_threads";
import { build } from "esbuild";
import { beforeAll, describe, expect, it } from "vitest";
import { LineBuffer, MAX_LINE } from "./line-buffer.ts";

/** Lines as `task:stream:text`, with ~ before a text that will be overwritten. */
type Printed = string;

const PRELUDE = `
  import { parentPort } from "node:worker_threads";
  import { setTimeout as nap } from "node:timers/promises";
  import { installOutput, flushTask, flushOutput } from "./output.ts";
  import { redirectOutput } from "./redirect.ts";
  import { runInTask, setCurrentTask, useAsyncContext } from "./context.ts";
  const printed = [];
  const uninstall = installOutput(({ task, stream, text, overwrite }) => {
    printed.push((task?.id ?? "node") + ":" + stream + ":" + (overwrite ? "~" : "") + text);
  });
  const context = (id, more = {}) => ({ id, attempt: 1, slot: 0, signal: undefined, progress() {}, ...more });
  const out = process.stdout;
  await scenario();
  flushOutput();
  parentPort.postMessage(printed);
`;

/** Runs a scenario in a real worker thread, as an executor does, and gives what came out. */
async function inThread(scenario: string): Promise<Printed[]> {
  const bundle = await build({
    stdin: {
      contents: `${PRELUDE}\nasync function scenario() {${scenario}}`,
      resolveDir: import.meta.dirname,
      loader: "js",
    },
    bundle: true,
    write: false,
    platform: "node",
    format: "esm",
  });
  const code = Buffer.from(bundle.outputFiles[0]?.contents ?? []).toString("base64");
  const worker = new Worker(new URL(`data:text/javascript;base64,${code}`), { stdout: true, stderr: true });
  const leaked: string[] = [];
  worker.stdout.on("data", (chunk: Buffer) => leaked.push(chunk.toString()));
  worker.stderr.on("data", (chunk: Buffer) => leaked.push(chunk.toString()));
  const printed = await new Promise<Printed[]>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
  await worker.terminate();
  expect(leaked).toEqual([]);
  return printed;
}

beforeAll(async () => {
  await inThread("");
});

describe("output of a thread", () => {
  it("leaves as whole lines with their task and stream, whoever prints them", async () => {
    const lines = await inThread(`
      console.log("at load");
      setCurrentTask(context("a"));
      console.log("log %d", 1, { x: 1 });
      console.error("error");
      console.table([{ k: 1 }]);
      out.write("half ");
      process.stderr.write("other\\n");
      out.write("line\\n\\nlast");
      flushTask(context("b"));
      const a = context("z");
      setCurrentTask(undefined);
      console.info("after");
    `);
    expect(lines).toEqual([
      "node:stdout:at load",
      "a:stdout:log 1 { x: 1 }",
      "a:stderr:error",
      "a:stdout:┌─────────┬───┐",
      expect.stringContaining("(index)"),
      expect.any(String),
      expect.any(String),
      expect.any(String),
      "a:stderr:other",
      "a:stdout:half line",
      "a:stdout:",
      "node:stdout:after",
      "a:stdout:last",
    ]);
  });

  it("keeps unfinished lines of tasks that share the thread apart, and flushes at their end", async () => {
    const lines = await inThread(`
      useAsyncContext(true);
      const body = async (id) => {
        const task = context(id);
        await runInTask(task, async () => {
          for (const part of ["one ", "two ", "three"]) { out.write(id + part); await nap(1); }
        });
        flushTask(task);
      };
      await Promise.all([body("a"), body("b")]);
    `);
    expect(lines.toSorted()).toEqual(["a:stdout:aone atwo athree", "b:stdout:bone btwo bthree"]);
  });

  it("handles bytes, encodings, callbacks and return values as the stream does", async () => {
    const lines = await inThread(`
      const bytes = Buffer.from("ä€😀\\n");
      for (const byte of bytes) out.write(Uint8Array.of(byte));
      out.write("aGk=", "base64");
      out.write("ff0a".replace("ff", "78"), "hex", () => {});
      const seen = [out.write("sync", () => seen.push("called"))];
      seen.push("returned");
      await new Promise((resolve) => out.write("\\n", "utf8", (error) => resolve(error)));
      console.log(seen.join());
      try { out.write(5); } catch (error) { console.log(error.code); }
    `);
    expect(lines).toEqual(
      ["ä€😀", "hix", "sync", "true,returned,called", "ERR_INVALID_ARG_TYPE"].map((text) => `node:stdout:${text}`),
    );
  });

  it("drops what a task may not show, stream by stream", async () => {
    const lines = await inThread(`
      setCurrentTask(context("a", { stdout: false, stderr: true }));
      console.log("no"); console.error("yes");
      setCurrentTask(context("b", { stdout: false, stderr: false }));
      console.log("no"); console.error("no");
    `);
    expect(lines).toEqual(["a:stderr:yes"]);
  });

  it("sends what a redirection's body writes to its callback, and nothing else", async () => {
    const lines = await inThread(`
      useAsyncContext(true);
      const got = [];
      await runInTask(context("a"), () => Promise.all([
        redirectOutput((line, stream) => got.push("x " + stream + " " + line), async (output) => {
          console.log("1"); await nap(1); console.error("2"); output.stdout.write("direct"); 
          return 7;
        }).then((result) => got.push(result)),
        redirectOutput((line) => got.push("y " + line), async () => { await nap(1); console.log("3"); }),
        (async () => { await nap(1); console.log("beside"); })(),
      ]));
      console.log(JSON.stringify(got.sort()));
    `);
    expect(lines).toEqual(["a:stdout:beside", 'node:stdout:[7,"x stderr 2","x stdout 1","x stdout direct","y 3"]']);
  });

  it("redirects until disposed, newest first, one task only, and ends with the task", async () => {
    const lines = await inThread(`
      const got = [];
      const a = context("a"), b = context("b", { stdout: false });
      setCurrentTask(a);
      const outer = redirectOutput((line) => got.push("outer " + line));
      console.log("1");
      const inner = redirectOutput((line) => { got.push("inner " + line); console.log("from the callback"); });
      console.log("2");
      setCurrentTask(b); console.log("b is silent"); setCurrentTask(a);
      inner[Symbol.dispose](); inner.restore();
      out.write("unfinished");
      outer.restore();
      console.log("3");
      setCurrentTask(b);
      redirectOutput((line) => got.push("left open " + line));
      out.write("captured though silent");
      flushTask(b);
      setCurrentTask(undefined);
      const sync = redirectOutput((line) => got.push("sync " + line), () => { console.log("4"); return 4; });
      try { redirectOutput(() => {}, () => { throw new Error("x"); }); } catch { console.log("caught", sync); }
      console.log(got.join("|"));
    `);
    expect(lines).toEqual([
      "a:stdout:3",
      "node:stdout:caught 4",
      "node:stdout:outer 1|inner 2|outer from the callback|outer unfinished|left open captured though silent|sync 4",
    ]);
  });

  it("redirects without a pool too, and leaves the streams as they were", async () => {
    const lines = await inThread(`
      uninstall();
      const got = [];
      { const output = redirectOutput((line) => got.push(line)); console.log("here"); output.restore(); }
      printed.push(got.join(), String(Object.hasOwn(out, "write")));
    `);
    expect(lines).toEqual(["here", "false"]);
  });

  it("costs a task that prints nothing next to nothing", async () => {
    const lines = await inThread(`
      const task = context("a");
      const time = (run) => { const start = performance.now(); for (let i = 0; i < 1e6; i++) run(); return performance.now() - start; };
      time(() => { setCurrentTask(task); flushTask(task); });
      printed.push(String(time(() => { setCurrentTask(task); flushTask(task); })));
    `);
    expect(Number(lines[0])).toBeLessThan(200);
  });
});

describe("LineBuffer", () => {
  const collect = (...chunks: (string | Uint8Array)[]): string[] => {
    const lines: string[] = [];
    const buffer = new LineBuffer((text, overwrite) => lines.push((overwrite ? "~" : "") + text));
    for (const chunk of chunks) buffer.push(chunk);
    buffer.flush();
    return lines;
  };

  it("knows carriage returns: line ends, rewinds, and progress bars", () => {
    expect(collect("a\r\nb\r", "\nc")).toEqual(["a", "b", "c"]);
    expect(collect("1%\r2%\r3%\n")).toEqual(["3%"]);
    expect(collect("1%\r", "2%\r", "3%\r", "\n", "done")).toEqual(["~1%", "3%", "done"]);
    expect(collect("\r1%", "\r2%", "\r3%")).toEqual(["~1%", "3%"]);
  });

  it("cuts a line without end, never inside a character", () => {
    const lines = collect("x".repeat(MAX_LINE - 1), "😀".repeat(10), "y".repeat(MAX_LINE * 2), "\n");
    expect(lines.every((line) => line.length <= MAX_LINE && Buffer.from(line).toString() === line)).toBe(true);
    expect(lines.join("")).toBe("x".repeat(MAX_LINE - 1) + "😀".repeat(10) + "y".repeat(MAX_LINE * 2));
    expect(collect(`${"z".repeat(MAX_LINE + 1)}\n`).map((line) => line.length)).toEqual([MAX_LINE, 1]);
  });

  it("keeps half a character until the rest of it comes", () => {
    const [first, ...rest] = Buffer.from("€");
    expect(collect(Uint8Array.of(first ?? 0), Uint8Array.from(rest), "\n")).toEqual(["€"]);
    expect(collect(Uint8Array.of(0xe2))).toEqual(["\ufffd"]);
  });
});
