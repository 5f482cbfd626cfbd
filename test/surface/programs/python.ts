// Python packages of an image, from indexes of the test.
import assert from "node:assert/strict";
import * as sky from "skyward";
import { failure, point } from "../../support/point.ts";

const ssh = process.env["SSH"];
const provider = ssh === undefined ? sky.local() : sky.ssh(JSON.parse(ssh) as sky.SshProviderOptions);
const image: sky.Image = {
  pip: [
    "plain>=1",
    "scoped; python_version > '3.0'",
    "both==${VERSION}",
    `${process.env["INDEX_A"]!}/direct/direct-\${VERSION}-py3-none-any.whl`,
  ],
  shellVars: { VERSION: "echo 2.0" },
  pipIndexes: [{ url: process.env["INDEX_B"]!, packages: ["scoped"] }],
  env: { PIP_INDEX_URL: process.env["INDEX_A"]! },
};
const imports = sky.fn(async () => {
  const { execFileSync } = await import("node:child_process");
  return execFileSync(
    "python",
    ["-c", "import plain, scoped, both, direct; print(plain.FROM, scoped.FROM, both.FROM, direct.FROM)"],
    {
      encoding: "utf8",
    },
  ).trim();
});
let log = "";
process.stderr.write = (text: string | Uint8Array) => {
  log += text.toString();
  return true;
};
const open = (given: sky.Image) =>
  sky.compute({ provider, image: given, console: "log" }, (pool) => pool.run(imports()));

// A virtual environment takes Python 20 s on a slow machine.
const LIMIT_MS = 60_000;
await point(
  "where uv can't be had, that is said",
  async () => {
    const before = { ...process.env };
    Object.assign(process.env, { XDG_CACHE_HOME: process.env["TEST_EMPTY"], PIP_INDEX_URL: process.env["INDEX_A"] });
    const error = await failure(open(image));
    process.env = before;
    assert.equal(error.code, "SKY_BOOTSTRAP_FAILED");
    assert.match(
      error.message,
      /needs uv for its Python, and uv [\d.]+ can't be fetched from 127\.0\.0\.1:\d+: status 404/,
    );
    assert.match(error.hint ?? "", /pip install uv.*PIP_INDEX_URL/);
  },
  LIMIT_MS,
);

await point(
  "packages come from the index that was named for them, the others from the usual one",
  async () => {
    assert.equal(await open(image), "plain-1.0-A scoped-1.0-B both-2.0-A direct-2.0-A");
  },
  LIMIT_MS,
);

await point(
  "uv is sent to a machine that has none, once",
  async () => {
    assert.match(log, /sending uv to /);
    log = "";
    await open({
      ...image,
      pip: ["plain", "scoped", "both", `${process.env["INDEX_A"]!}/direct/direct-2.0-py3-none-any.whl`],
    });
    assert.doesNotMatch(log, /sending uv to /);
    assert.match(log, /uv pip install/);
  },
  LIMIT_MS,
);

await point(
  "a package that no index has fails with what was said",
  async () => {
    const error = await failure(open({ ...image, pip: ["missing"] }));
    assert.equal(error.code, "SKY_BOOTSTRAP_FAILED");
    assert.match(error.message, /phase "pip" failed with exit code 1: .*uv pip install[^]*missing/);
  },
  LIMIT_MS,
);
