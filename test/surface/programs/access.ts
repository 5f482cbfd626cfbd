// Commands and shells of nodes; with SSH set to the provider's options, by SSH.
import assert from "node:assert/strict";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import * as sky from "skyward";
import { failure, holds, point } from "../../support/point.ts";

const options =
  process.env["SSH"] === undefined ? undefined : (JSON.parse(process.env["SSH"]) as sky.SshProviderOptions);
const home = process.env["TEST_HOME"]!;
const provider = options === undefined ? sky.local() : sky.ssh(options);
const image: sky.Image = { secrets: { TOKEN: "s3cret" }, env: { GREETING: "it's" } };

await sky.compute({ provider, nodes: 2, image, console: "silent" }, async (pool) => {
  await point("exec on every node: output, environment, words as they are", async () => {
    const all = await pool.exec('echo "$GREETING $TOKEN"; echo err >&2');
    assert.deepEqual(
      all.map(({ node, code, stdout, stderr }) => [node, code, stdout, stderr]),
      [0, 1].map((node) => [node, 0, "it's s3cret\n", "err\n"]),
    );
    const ps = await pool.exec("ps ax -o args; env");
    holds(
      ps.every(({ stdout }) => stdout.split("s3cret").length === 2 && !stdout.includes("SKYWARD_SCRIPT=")),
      "a secret is a variable of the command, and no argument",
    );
    const words = ["printf", "%s|", "a b", "'\"$HOME\n", "*"];
    assert.equal((await pool.exec(words, { target: 1 })).stdout, "a b|'\"$HOME\n|*|");
    const { stdout } = await pool.exec("cat; pwd; echo $X", {
      target: "head",
      stdin: "in\n",
      cwd: "/",
      env: { X: "y" },
    });
    assert.equal(stdout, "in\n/\ny\n");
  });

  await point("exec tells failures, limits and cancels, and leaves nothing running", async () => {
    const error = await failure(pool.exec("echo no disk >&2; exit 3"));
    assert.equal((error as sky.SkyError).code, "SKY_EXEC_FAILED");
    assert.match(error.message, /failed on node 0 \(exit code 3\), and on 1 more:\nno disk/);
    const unchecked = await pool.exec("exit 3", { check: false });
    assert.deepEqual(
      unchecked.map(({ code }) => code),
      [3, 3],
    );
    assert.match((await failure(pool.exec("sleep 71", { timeout: "200ms" }))).message, /took longer than 200ms/);
    await failure(pool.exec("sleep 72", { signal: AbortSignal.timeout(200) }));
    assert.match((await failure(pool.exec("while :; do :; done", { timeout: "200ms" }))).message, /took longer/);
    const stubborn = "trap '' TERM HUP INT; sleep 71; setsid sleep 71";
    assert.match((await failure(pool.exec(stubborn, { target: 0, timeout: "200ms" }))).message, /took longer/);
    const early = { target: 0, signal: AbortSignal.abort(new Error("no need")) };
    assert.equal((await failure(pool.exec(["touch", join(home, "early")], early))).message, "no need");
    const left = await pool.exec(`ps ax | grep 'sleep 7[12]' | wc -l; rm ${join(home, "early")} 2>&1 | wc -l`, {
      target: 0,
    });
    assert.equal(left.stdout, "0\n1\n");
    assert.match((await failure(pool.exec("true", { target: 5 }))).message, /the pool has nodes 0 to 1/);
    assert.match(
      (await failure(pool.exec("true", { tmieout: "1s" } as sky.ExecOptions))).message,
      /did you mean "timeout"/,
    );
    assert.match((await failure(pool.exec([]))).message, /a shell command, or a list of words/);
    assert.match((await failure(pool.exec("env", { env: { "A;B": "" } }))).message, /a name in env must be/);
  });

  await point("commands end with the pool", async () => {
    const inner = await sky.compute({ provider, nodes: 1, console: "silent" });
    const ended = failure(inner.exec("trap '' TERM HUP; sleep 73; sleep 73"));
    void inner.exec("setsid sleep 73");
    while ((await pool.exec("ps ax | grep 'sleep 7[3]' | wc -l", { target: 0 })).stdout !== "2\n");
    await inner.close();
    assert.equal(((await ended) as sky.SkyError).code, "SKY_POOL_CLOSED");
    assert.equal((await pool.exec("ps ax | grep 'sleep 7[3]' | wc -l", { target: 0 })).stdout, "0\n");
  });

  await point("exec tells its output as it comes", async () => {
    const seen: string[] = [];
    await pool.exec("echo one; sleep 0.3; echo two", { target: 0, onOutput: ({ text: piece }) => seen.push(piece) });
    assert.deepEqual(seen, ["one\n", "two\n"]);
    const pieces: Uint8Array[] = [];
    const onOutput = ({ bytes }: sky.ExecOutput): unknown => pieces.push(bytes);
    const { stdout } = await pool.exec("printf '\\377\\000\\303'", { target: 0, collect: false, onOutput });
    assert.deepEqual([stdout, ...Buffer.concat(pieces)], ["", 0xff, 0, 0xc3]);
    const own = await failure(
      pool.exec("yes", {
        onOutput: () => {
          throw new Error("my own");
        },
      }),
    );
    assert.equal(own.message, "my own");
    const far = await pool.exec("pwd", { target: 0, cwd: "~" });
    holds(far.stdout.startsWith("/"), far.stdout);
  });

  await point("a shell with a terminal", async () => {
    const stdin = new PassThrough();
    const stdout = new PassThrough();
    const shown = text(stdout);
    const command =
      'stty size; test -t 0 && echo "a terminal of $TERM, $GREETING"; read line; echo "read $line"; exit 4';
    const code = pool.shell(0, { command, stdin, stdout, columns: 100, rows: 30 });
    stdin.write("typed\n");
    assert.equal(await code, 4);
    stdout.end();
    const lines = (await shown).replaceAll("\r", "").split("\n");
    assert.equal(lines.at(-2), "read typed");
    holds(lines.includes("30 100"), lines.join("\n"));
    holds(
      lines.some((line) => line.startsWith("a terminal of ") && line.endsWith(", it's")),
      lines.join("\n"),
    );
    holds(!lines.join("\n").includes("s3cret"), "the variables are not echoed");
  });
});
