// Files that an image includes, on machines that are reached by SSH.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import * as sky from "skyward";
import { failure, point } from "../../support/point.ts";

process.chdir(process.env["TEST_WORK"]!);
const ssh = process.env["SSH"];
const provider = ssh === undefined ? sky.local() : sky.ssh(JSON.parse(ssh) as sky.SshProviderOptions);
const write = (path: string, text: string): void => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
};
const large = "x".repeat(100_000);
write("data/a.txt", "first");
write("data/deep/large.bin", large);
write("data/deep/same.bin", large);
write("data/deep/notes.tmp", "left out");
write("data/secret/key", "left out");
write("config.json", '{"lr":0.1}');
write("other.txt", "not included");

const image: sky.Image = { includes: ["data", "./config.json"], excludes: ["*.tmp", "data/secret"] };
const seen = sky.fn(async () => {
  const found = {
    all: (await readdir(".", { recursive: true })).sort(),
    config: await readFile("config.json", "utf8"),
    a: await readFile("data/a.txt", "utf8"),
    size: (await readFile("data/deep/same.bin")).length,
  };
  // It has a copy: what it changes is not what others get.
  await writeFile("data/a.txt", "by a task");
  return found;
});

let log = "";
process.stderr.write = (text: string | Uint8Array) => {
  log += text.toString();
  return true;
};
/** What the tasks of two nodes saw, and how many bytes crossed to each. */
async function open() {
  log = "";
  const found = await sky.compute({ provider, nodes: 2, image, console: "log" }, (pool) => pool.broadcast(seen()));
  return {
    found,
    bytes: [...log.matchAll(/(\d+) bytes sent/g)].map(([, bytes]) => Number(bytes)).sort((a, b) => a - b),
  };
}
const expected = (a: string) => ({
  all: ["config.json", "data", "data/a.txt", "data/deep", "data/deep/large.bin", "data/deep/same.bin"],
  config: '{"lr":0.1}',
  a,
  size: large.length,
});

if (ssh === undefined) {
  await point("on this computer tasks run in the program's own folder, and nothing is copied", async () => {
    log = "";
    const folder = await sky.compute({ provider, image, console: "log" }, (pool) =>
      pool.run(sky.fn(() => process.cwd())()),
    );
    assert.equal(folder, process.cwd());
    assert.doesNotMatch(log, /bytes sent/);
  });
} else {
  await point(
    "tasks find included files in their working directory, and no others; each content crosses once",
    async () => {
      const { found, bytes } = await open();
      assert.deepEqual(found, [expected("first"), expected("first")]);
      assert.deepEqual(bytes, [0, "first".length + large.length + '{"lr":0.1}'.length]);
    },
  );

  await point("the next pool sends what was changed", async () => {
    assert.deepEqual((await open()).bytes, [0, 0]);
    write("data/a.txt", "second one");
    const { found, bytes } = await open();
    assert.deepEqual(found, [expected("second one"), expected("second one")]);
    assert.deepEqual(bytes, [0, "second one".length]);
  });
}

await point("what is not there, or elsewhere, is refused before anything is made", async () => {
  log = "";
  const refused = (includes: readonly string[]) => failure(() => sky.compute({ provider, image: { includes } }));
  assert.match((await refused(["data", "dta"])).message, /image\.includes\[1\]: there is no .*\/dta$/);
  assert.match(
    (await refused(["../x"])).message,
    /image\.includes\[0\] must lie in the working directory .*; got "\.\.\/x"/,
  );
  assert.equal(log, "");
});
