import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isAlive } from "../agent/process-tree.ts";
import { bootstrap, type RemoteShell } from "./bootstrap.ts";
import type { Image } from "./image.ts";
import type { BootstrapEvent } from "./output.ts";
import { resolveImage } from "./resolve.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "sky-image-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** This computer's own shell, in a home that is empty. */
function shell(): RemoteShell {
  return {
    name: "here",
    start: async (script, input) => {
      const { PATH = "" } = process.env;
      const count = Buffer.byteLength(script);
      const child = spawn("sh", ["-c", `exec sh -c 'eval "$(dd bs=1 count=${count} 2>/dev/null)"'`], {
        env: { PATH, HOME: home },
        detached: true,
      });
      child.stdin.on("error", () => undefined);
      child.stdin.write(script + input);
      child.stderr.on("data", (chunk: Buffer) => process.stderr.write(chunk));
      const exit = new Promise<number | null>((resolve) => child.once("close", resolve));
      return {
        output: child.stdout,
        exit,
        stop: () => child.stdin.end(),
        leave: () => void child.stdout.destroy(),
      };
    },
    put: () => Promise.reject(new Error("nothing is needed")),
  };
}

async function run(image: Image, network: Record<string, string> = {}) {
  const events: BootstrapEvent[] = [];
  const result = await bootstrap(shell(), resolveImage(image, {}), new AbortController().signal, {
    network,
    onEvent: (event) => events.push(event),
  });
  return { ...result, events };
}

const printed = (events: readonly BootstrapEvent[]): string[] =>
  events.flatMap((event) => (event.type === "line" ? [event.line] : []));

describe("a bootstrap", () => {
  it("runs steps in order, with their lines, and does them once", async () => {
    const image: Image = { env: { NAME: "it's $HOME" }, steps: ['echo "$NAME"', "echo err >&2", "echo x >> ~/count"] };
    const first = await run(image);
    expect(printed(first.events)).toEqual(["it's $HOME", "err"]);
    expect(first.skipped).toBe(false);
    const second = await run(image);
    expect(second.skipped).toBe(true);
    expect(second.events).toContainEqual({ type: "skipped", phase: "steps" });
    expect(readFileSync(join(home, "count"), "utf8")).toBe("x\n");
    const changed = await run({ ...image, steps: [...image.steps!, "echo more"] });
    expect(printed(changed.events)).toContain("more");
  });

  it("evaluates variables on the machine, each time", async () => {
    const image: Image = { shellVars: { KERNEL: "uname -s", TWO: 'printf "%s-2" "$KERNEL"' } };
    expect((await run(image)).variables).toEqual({ KERNEL: "Linux", TWO: "Linux-2" });
    expect((await run(image)).variables).toEqual({ KERNEL: "Linux", TWO: "Linux-2" });
  });

  it("tells which command failed, how, and its last 20 lines", async () => {
    const failing = run({ steps: ["true", 'for i in $(seq 30); do echo "line $i"; done; exit 7', "echo never"] });
    await expect(failing).rejects.toMatchObject({
      code: "SKY_BOOTSTRAP_FAILED",
      details: { stage: "steps", exitCode: 7, lines: Array.from({ length: 20 }, (_, i) => `line ${i + 11}`) },
    });
    await expect(failing).rejects.toThrow(/phase "steps" failed with exit code 7: sh -c for i in/);
  });

  it("says what a failure most likely means", async () => {
    await expect(run({ steps: ["echo 'E: Unable to locate package ffmpge'; exit 100"] })).rejects.toMatchObject({
      hint: "apt knows no package ffmpge: look at its name for this system's release.",
    });
    await expect(run({ steps: ["no-such-command"] })).rejects.toMatchObject({ details: { exitCode: 127 } });
    await expect(run({ shellVars: { X: "exit 3" } })).rejects.toMatchObject({
      details: { stage: "environment", exitCode: 3 },
    });
  });

  it("ends what hangs, with all that it started", async () => {
    const begun = performance.now();
    await expect(run({ steps: ["sleep 61 & sleep 62"], bootstrapTimeout: "500ms" })).rejects.toMatchObject({
      code: "SKY_BOOTSTRAP_FAILED",
      message: expect.stringContaining("did not end within image.bootstrapTimeout (0.5s)") as string,
    });
    expect(performance.now() - begun).toBeLessThan(5000);
  });

  it("gives secrets to its commands and to nobody else", async () => {
    const canary = "canary-9f27c1";
    const { events } = await run({
      secrets: { TOKEN: canary },
      steps: ['test "$TOKEN" = "canary-$END"', 'echo "got $TOKEN"'],
      env: { END: "9f27c1" },
    });
    expect(printed(events)).toEqual(["got ***"]);
    expect(JSON.stringify(events)).not.toContain(canary);
    for (const file of readdirSync(home, { recursive: true, withFileTypes: true }))
      if (file.isFile()) expect(readFileSync(join(file.parentPath, file.name), "utf8")).not.toContain(canary);
    const failed = await run({ secrets: { TOKEN: canary }, steps: ['echo "$TOKEN"; exit 1'] }).catch(
      (error: unknown) => error,
    );
    expect(`${String(failed)}${JSON.stringify(failed)}`).not.toContain(canary);
  });

  it("takes nothing that a command prints for its own word", async () => {
    const { events } = await run({ steps: ["echo '@skyward:0 failed steps 1'", "printf 'no end'"] });
    expect(printed(events)).toEqual(["@skyward:0 failed steps 1", "no end"]);
  });

  it("tells that a returned line overwrites the one before", async () => {
    const { events } = await run({ steps: [String.raw`printf '10%%\r50%%\r100%%\nend\r\n'`] });
    expect(events.filter((event) => event.type === "line")).toEqual([
      { type: "line", line: "10%", overwrites: false },
      { type: "line", line: "50%", overwrites: true },
      { type: "line", line: "100%", overwrites: true },
      { type: "line", line: "end", overwrites: false },
    ]);
  });

  it("brings every text through as it is", async () => {
    const text = fc.string({
      unit: fc.constantFrom(...Array.from("ab'\"$`\\ \n*?[]{}()<>|&;#~!=%\té€")),
      maxLength: 30,
    });
    await fc.assert(
      fc.asyncProperty(text, text, async (value, secret) => {
        const { variables } = await run({
          env: { VALUE: value },
          secrets: { SECRET: secret },
          shellVars: { SEEN: 'printf %s "$VALUE$SECRET" | base64 | tr -d "\\n"' },
        });
        expect(Buffer.from(variables["SEEN"]!, "base64").toString()).toBe(value + secret);
      }),
      { numRuns: 25 },
    );
  });

  it("goes on without a service that a step has started, which neither holds its lock nor ends with it", async () => {
    const service = `sleep 600 & echo $! > ~/service`;
    const began = performance.now();
    await run({ steps: [service] });
    await run({ steps: ["true"] });
    expect(performance.now() - began).toBeLessThan(10_000);
    const pid = Number(readFileSync(join(home, "service"), "utf8"));
    expect(() => process.kill(pid)).not.toThrow();
  });

  it("tells what failed although something that it started goes on", async () => {
    const failing = run({ steps: ["sleep 600 & echo $! > ~/service; exit 3"] });
    await expect(failing).rejects.toMatchObject({ details: { exitCode: 3 } });
    process.kill(Number(readFileSync(join(home, "service"), "utf8")));
  });

  it("cuts a line that does not end, at once", async () => {
    const { events } = await run({ steps: ["head -c 3000000 /dev/zero | tr '\\0' x"] });
    const lines = printed(events);
    expect(lines.join("").length).toBe(3_000_000);
    expect(Math.max(...lines.map((line) => line.length))).toBe(4096);
  });

  it("ends what does not listen, too", async () => {
    const deaf = `trap '' TERM; echo $$ > ~/deaf; while :; do sleep 1; done`;
    await expect(run({ steps: [deaf], bootstrapTimeout: "1s" })).rejects.toThrow(/did not end within .*1s/);
    const pid = Number(readFileSync(join(home, "deaf"), "utf8"));
    await expect.poll(() => isAlive({ pid, startTime: "" })).toBe(false);
  });
});
