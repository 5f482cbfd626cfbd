// How machines that are reached by SSH get to what this program gets to.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as sky from "skyward";
import { point } from "../../support/point.ts";

const provider = sky.ssh(JSON.parse(process.env["SSH"]!) as sky.SshProviderOptions);
const { SERVER = "", HTTPS_PROXY: proxy = "" } = process.env;
const password = new URL(proxy).password;
let log = "";
process.stderr.write = (text: string | Uint8Array) => {
  log += text.toString();
  return true;
};
const seen = sky.fn(async (url: string) => {
  const { HTTPS_PROXY, https_proxy, NO_PROXY, HTTP_PROXY } = process.env;
  return { text: await (await fetch(url)).text(), HTTPS_PROXY, https_proxy, NO_PROXY, HTTP_PROXY };
});

await point("a private authority and proxies are known to bootstrap, agent and tasks", async () => {
  const steps = [`curl -fsS ${SERVER}`, 'echo "by way of $HTTPS_PROXY"', 'test -z "$HTTP_PROXY"'];
  const found = await sky.compute({ provider, image: { steps }, console: "log" }, (pool) => pool.run(seen(SERVER)));
  assert.deepEqual(found, {
    text: "for those who trust it",
    HTTPS_PROXY: proxy,
    https_proxy: proxy,
    NO_PROXY: "127.0.0.1",
    // That one is of this computer alone.
    HTTP_PROXY: undefined,
  });
  assert.match(log, /for those who trust it/);
});

await point("what the proxy wants to know is in no log and no argument", async () => {
  assert.match(log, /by way of \*\*\*/);
  assert.equal(log.includes(password), false);
  const commands = await sky.compute({ provider, console: "silent" }, (pool) => pool.exec("ps -eo args"));
  assert.equal(commands[0]!.stdout.includes(password), false);
  assert.equal(readFileSync("/proc/self/cmdline", "latin1").includes(password), false);
});
