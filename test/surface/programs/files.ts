// Files of nodes; with SSH set to the provider's options, by SSH.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as sky from "skyward";
import { failure, holds, point } from "../../support/point.ts";

const options =
  process.env["SSH"] === undefined ? undefined : (JSON.parse(process.env["SSH"]) as sky.SshProviderOptions);
const home = process.env["TEST_HOME"]!;
const here = mkdtempSync(join(tmpdir(), "sky-access-"));
const provider = options === undefined ? sky.local() : sky.ssh(options);
await sky.compute({ provider, nodes: 2, console: "silent" }, async (pool) => {
  await point("a file there and back, into a folder, with progress", async () => {
    const bytes = randomBytes(5_000_000);
    writeFileSync(join(here, "data.bin"), bytes);
    const steps: number[] = [];
    const sent = await pool.files.upload(join(here, "data.bin"), join(home, "in/"), {
      target: 0,
      onProgress: (progress) => steps.push(progress.bytes / progress.of),
    });
    assert.deepEqual(sent, [{ files: 1, bytes: 5_000_000, skippedBytes: 0 }]);
    holds(steps.length > 2 && steps.at(-1) === 1, String(steps));
    const entries = await pool.files.ls(join(home, "in"));
    assert.deepEqual(
      entries.map(({ name, type, size }) => [name, type, size]),
      [["data.bin", "file", 5_000_000]],
    );
    await pool.files.download(join(home, "in/data.bin"), join(here, "back.bin"));
    holds(readFileSync(join(here, "back.bin")).equals(bytes), "the bytes are the same");
    const again = await pool.files.upload(join(here, "data.bin"), join(home, "in/"), { target: 0 });
    assert.deepEqual(again, [{ files: 0, bytes: 0, skippedBytes: 5_000_000 }]);
    chmodSync(join(here, "data.bin"), 0o750);
    await pool.files.upload(join(here, "data.bin"), join(home, "in"), { target: 0 });
    assert.deepEqual(
      (await pool.files.ls(join(home, "in/data.bin"))).map(({ mode }) => mode),
      [0o750],
    );
    const named = { target: 0, exclude: ["*.log"] } as sky.TransferOptions;
    assert.match((await failure(pool.files.upload(here, home, named))).message, /did you mean "excludes"/);
    assert.match((await failure(pool.files.upload("/dev/null", home))).message, /neither a file nor a folder/);
  });

  await point("nodes that share a disk don't disturb each other", async () => {
    const sent = await pool.files.upload(join(here, "data.bin"), join(home, "shared", "n".repeat(250)));
    assert.deepEqual(
      sent.map(({ files, skippedBytes }) => [files, skippedBytes]),
      [
        [1, 0],
        [0, 5_000_000],
      ],
    );
    const copies = [0, 1].map((target) =>
      pool.files.upload(join(here, "data.bin"), join(home, "shared/b"), { target }),
    );
    await Promise.all(copies);
    const { stdout } = await pool.exec(["ls", "-A", join(home, "shared")], { target: 0 });
    assert.equal(stdout, `b\n${"n".repeat(250)}\n`);
    holds(readFileSync(join(home, "shared/b")).equals(readFileSync(join(here, "data.bin"))), "the bytes are the same");
    await pool.files.rm(join(home, "shared"), { recursive: true });
  });

  await point("a folder with links and modes, without what is excluded", async () => {
    const tree = join(here, "tree");
    mkdirSync(join(tree, "a/b"), { recursive: true });
    mkdirSync(join(tree, "node_modules/x"), { recursive: true });
    writeFileSync(join(tree, "a/b/run.sh"), "echo ran\n", { mode: 0o755 });
    writeFileSync(join(tree, "a/empty"), "");
    writeFileSync(join(tree, "a/skip.log"), "x");
    writeFileSync(join(tree, "node_modules/x/index.js"), "x");
    symlinkSync("b/run.sh", join(tree, "a/link"));
    await pool.files.upload(tree, join(home, "tree"), { target: 0, excludes: ["node_modules", "a/*.log"] });
    assert.equal((await pool.exec(["sh", join(home, "tree/a/link")], { target: 0 })).stdout, "ran\n");
    await pool.files.download(join(home, "tree"), join(here, "copy"));
    assert.equal(readlinkSync(join(here, "copy/a/link")), "b/run.sh");
    assert.equal(statSync(join(here, "copy/a/b/run.sh")).mode & 0o777, 0o755);
    assert.equal(readFileSync(join(here, "copy/a/empty"), "utf8"), "");
    // A folder that was there keeps its mode; one that nobody may write to is no hindrance.
    await pool.exec(`chmod 700 ${join(home, "tree")}; chmod 500 ${join(home, "tree/a/b")}`, { target: 0 });
    writeFileSync(join(tree, "a/b/more"), "more");
    await pool.files.upload(tree, join(home, "tree"), { target: 0, excludes: ["node_modules", "a/*.log"] });
    const modes = await pool.exec(`cat ${join(home, "tree/a/b/more")}; stat -c %a ${join(home, "tree")}`, {
      target: 0,
    });
    assert.equal(modes.stdout, "more700\n");
    assert.deepEqual(
      (await pool.files.ls(join(home, "tree"))).map(({ name }) => name),
      ["a"],
    );
  });

  await point("a copy that was cut goes on where it was", async () => {
    const bytes = randomBytes(40_000_000);
    writeFileSync(join(here, "large.bin"), bytes);
    const stop = new AbortController();
    const cut = pool.files.upload(join(here, "large.bin"), join(home, "large.bin"), {
      target: 0,
      signal: stop.signal,
      onProgress: (progress) => progress.bytes > 15_000_000 && stop.abort(),
    });
    await failure(cut);
    assert.deepEqual(
      (await pool.files.ls(home)).filter(({ name }) => name === "large.bin"),
      [],
    );
    const [rest] = await pool.files.upload(join(here, "large.bin"), join(home, "large.bin"), { target: 0 });
    holds(rest!.skippedBytes > 1_000_000, JSON.stringify(rest));
    assert.equal(rest!.bytes + rest!.skippedBytes, 40_000_000);
    const { stdout } = await pool.exec(["sha256sum", join(home, "large.bin")], { target: 0 });
    assert.equal(stdout.split(" ")[0], createHash("sha256").update(bytes).digest("hex"));
    const stopBack = new AbortController();
    const onProgress = (progress: { bytes: number }): unknown => progress.bytes > 15_000_000 && stopBack.abort();
    await failure(
      pool.files.download(join(home, "large.bin"), join(here, "l"), { signal: stopBack.signal, onProgress }),
    );
    let last = { bytes: 0, of: 0 };
    const back = await pool.files.download(join(home, "large.bin"), join(here, "l"), {
      onProgress: (to) => (last = to),
    });
    assert.equal(back.bytes + back.skippedBytes, 40_000_000);
    assert.deepEqual(last, { bytes: back.bytes, of: back.bytes });
    holds(back.skippedBytes > 1_000_000 && readFileSync(join(here, "l")).equals(bytes), JSON.stringify(back));
  });

  await point("rm, and paths that are not there", async () => {
    await pool.files.rm(join(home, "tree"), { target: 0, recursive: true });
    assert.match((await failure(pool.files.ls(join(home, "tree")))).message, /ls .*tree on node 0: ENOENT/);
    assert.match((await failure(pool.files.rm(join(home, "tree"), { target: 0 }))).message, /rm .* on node 0: ENOENT/);
    assert.match((await failure(pool.files.download(join(home, "no"), here))).message, /ENOENT/);
    assert.match((await failure(pool.files.upload(join(here, "no"), home))).message, /upload: .* can't be read/);
  });
});
