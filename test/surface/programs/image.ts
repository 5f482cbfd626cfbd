// What an image gives to the tasks, on this computer or, with SSH set to the provider's options, by SSH.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import * as sky from "skyward";
import { failure, point } from "../../support/point.ts";

const canary = `canary-${process.pid}-${Date.now()}`;
const options =
  process.env["SSH"] === undefined ? undefined : (JSON.parse(process.env["SSH"]) as sky.SshProviderOptions);
const provider = options === undefined ? sky.local() : sky.ssh(options);
const seen = sky.fn(() => {
  const { GREETING, TOKEN, KERNEL } = process.env;
  return { GREETING, TOKEN, KERNEL };
});
const image: sky.Image = {
  env: { GREETING: 'it\'s "fine" $HOME\n' },
  secrets: { TOKEN: canary },
  shellVars: { KERNEL: "uname -s" },
  steps: ['test -n "$TOKEN"', 'echo "it is $TOKEN"', 'echo "$GREETING"', "echo made >> ~/.sky-image-test"],
};

let log = "";
process.stderr.write = (text: string | Uint8Array) => {
  log += text.toString();
  return true;
};
const open = (given: sky.Image) => sky.compute({ provider, image: given, console: "log" }, (pool) => pool.run(seen()));

await point("variables, secrets and what the machine says reach the tasks", async () => {
  assert.deepEqual(await open(image), { GREETING: image.env!["GREETING"], TOKEN: canary, KERNEL: "Linux" });
});

await point("each part is told, with what it printed", () => {
  assert.match(log, /environment done in [^]*\$ sh -c test -n "\$TOKEN"[^]*it's "fine" \$HOME\n[^]*steps done in /);
});

const told = log;
await point("the next pool on that machine skips what is done", async () => {
  log = "";
  await open(image);
  assert.match(log, /environment done in /);
  assert.doesNotMatch(log, /steps done in /);
});

await point("a secret is in no line, argument or file", async () => {
  assert.match(told, /it is \*\*\*\n/);
  assert.equal(`${told}${log}`.includes(canary), false);
  const found = await sky.compute({ provider, image, console: "log" }, async () => {
    const commands = readdirSync("/proc").flatMap((pid) => {
      try {
        return /^\d+$/.test(pid) ? [readFileSync(`/proc/${pid}/cmdline`, "latin1")] : [];
      } catch {
        return [];
      }
    });
    const home = process.env["TEST_HOME"]!;
    const files = readdirSync(home, { recursive: true, withFileTypes: true }).flatMap((file) =>
      file.isFile() ? [`${file.parentPath}/${file.name}`] : [],
    );
    return {
      commands: commands.filter((words) => words.includes(canary)),
      files: files.filter((file) => existsSync(file) && readFileSync(file, "latin1").includes(canary)),
    };
  });
  assert.deepEqual(found, { commands: [], files: [] });
});

await point("a step that fails says which, and how", async () => {
  const error = await failure(open({ steps: ["echo before", "echo no space left on device >&2; exit 28"] }));
  assert.equal(error.code, "SKY_BOOTSTRAP_FAILED");
  assert.match(error.message, /phase "steps" failed with exit code 28: sh -c echo no space left on device/);
  assert.match(error.hint ?? "", /^The machine's disk is full\.\nWhat the node said is in \S+\.jsonl /);
});

await point("what can't be is refused before anything is made", async () => {
  log = "";
  const wrong = await failure(() => sky.compute({ provider, image: { pips: ["numpy"] } as sky.Image }));
  assert.match(wrong.message, /did you mean "pip"/);
  if (options === undefined) {
    const apt = await failure(() => sky.compute({ provider, image: { apt: ["jq"] } }));
    assert.match(`${apt.message} ${apt.hint}`, /would change this computer.*sky\.container/);
  }
  assert.equal(log, "");
});
