import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");
const home = mkdtempSync(join(tmpdir(), "sky-state-"));
const env = { ...process.env, XDG_STATE_HOME: home, XDG_RUNTIME_DIR: home, NO_COLOR: "1" };

function node(...words: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  return run(process.execPath, ["--conditions=skyward:source", "--import", "tsx", ...words], { cwd: root, env });
}
const sky = async (...words: readonly string[]): Promise<string> => (await node("src/cli/main.ts", ...words)).stdout;

interface Line {
  readonly node: number;
  readonly stream: string;
  readonly line: string;
  readonly task?: string;
}
const linesOf = (text: string): Line[] =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);

describe("a node that failed, after its program has ended", () => {
  let said: string;
  beforeAll(async () => {
    said = (await node("test/cli/programs/failed-nodes.ts")).stdout;
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  it("has its last lines in a file of this user's that its event or error names", () => {
    const [lost = "", unmade = "", ...hint] = said.split("\n").map((line) => line.replace(/^\w+ /, ""));
    expect(hint.join("\n")).toContain(unmade);
    for (const file of [lost, unmade]) {
      expect(file.startsWith(`${home}/skyward/`)).toBe(true);
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(statSync(dirname(file)).mode & 0o777).toBe(0o700);
    }
    expect(readdirSync(dirname(lost))).toHaveLength(2);
    const [header] = linesOf(readFileSync(lost, "utf8"));
    expect(header).toMatchObject({ pool: "doomed", node: 0, machine: "local-0" });
  });

  it("is what sky logs shows: its task's lines, its bootstrap, and why it failed", async () => {
    const doomed = linesOf(await sky("logs", "doomed", "--json"));
    expect(doomed).toContainEqual(expect.objectContaining({ stream: "stdout", task: "t1", line: "hello from t1" }));
    expect(doomed.at(-1)).toMatchObject({ node: 0, stream: "event", line: expect.stringMatching(/^failed: /) });
    const unmade = await sky("logs", "unmade", "--node", "0");
    expect(unmade).toMatch(/node 0 {3}so far so good\n/);
    expect(unmade).toMatch(/node 0 {3}failed: .*exit 3/);
    // The newest run, without a name.
    expect(await sky("logs")).toBe(unmade);
    await expect(sky("logs", "other")).rejects.toThrow(/no pool is open/);
  });

  it("is in the list of those that are kept", async () => {
    const listed = JSON.parse(await sky("logs", "--failed", "--json")) as {
      pool: string;
      node: number;
      file: string;
    }[];
    expect(listed.map(({ pool, node: rank }) => [pool, rank])).toEqual([
      ["unmade", 0],
      ["doomed", 0],
    ]);
    const text = await sky("logs", "doomed", "--failed");
    expect(text).toMatch(/doomed-\d+ node 0 {2}/);
    expect(text).toContain(listed[1]!.file);
    expect(await sky("logs", "--help")).toMatch(/--failed/);
  });
});
