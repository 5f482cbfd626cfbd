/**
 * A controller that is killed at a given point: KILL is "before prepare", "after provision" and so on, "task" for
 * while a task runs, or nothing. HANG names a call that never ends, SLOW one that takes 3 s longer, STEP a command of
 * the image, OWN a handler of its own for SIGINT; after IDLE ms without a task it runs another one. Tells its machines'
 * owner, then what it did, on stdout. SSH has the options of machines to borrow in their place.
 */
import { setTimeout as sleep } from "node:timers/promises";
import * as sky from "skyward";
import { ownerId } from "../../../src/pool/ledger/owner.ts";
import { stateDir } from "../../../src/pool/ledger/state-dir.ts";
import { Disturbed, type Plan } from "../../../src/providers/conformance/disturbed.ts";

const { KILL = "", IMAGE = "", TTL = "600s", NAME = "killed", HOLD = "1", NODES = "1" } = process.env;
const { HANG = "", SLOW = "", STEP, OWN, IDLE, SSH } = process.env;
const SLOW_MS = 3000;
const killed =
  (when: string): Plan =>
  async (call) => {
    if (when === "before" && HANG === call) {
      console.log(`hangs in ${call}`);
      return new Promise<undefined>(() => undefined);
    }
    if (when === "before" && SLOW === call) {
      console.log(`slow in ${call}`);
      await sleep(SLOW_MS);
    }
    if (KILL !== `${when} ${call}`) return undefined;
    process.kill(process.pid, "SIGKILL");
    // Nothing else happens until the signal has come.
    return new Promise<undefined>(() => undefined);
  };
const provider =
  SSH === undefined
    ? new Disturbed(sky.container({ image: IMAGE }), killed("before"), killed("after"))
    : sky.ssh(JSON.parse(SSH) as sky.SshProviderOptions);

const work = sky.fn(async (ms: number) => {
  console.log(`works for ${ms} ms`);
  await new Promise((resolve) => setTimeout(resolve, ms));
  return "done";
});

const day = sky.fn(() => new Date().getUTCDate());

async function main(): Promise<void> {
  const image = STEP === undefined ? {} : { image: { steps: [STEP] } };
  const options = { name: NAME, provider, nodes: Number(NODES), ttl: TTL, console: "log" as const, ...image };
  await sky.compute(options, async (pool) => {
    const hold = Number(HOLD);
    const long = pool.run(work(hold));
    for await (const event of pool.events)
      if (event.type === "Log.Emitted" && event.message.includes("works for")) break;
    console.log("working");
    if (KILL === "task") process.kill(process.pid, "SIGKILL");
    console.log(`held: ${await long}`);
    if (IDLE === undefined) return;
    await sleep(Number(IDLE));
    // Once at most: it must not be given to a node that has gone.
    console.log(`again: ${await pool.run(work(1).with({ rerun: "never" }))}`);
    console.log(`days ${new Date().getUTCDate()} ${await pool.run(day())}`);
  });
  console.log("closed");
}

const { stdin } = process;
stdin.once("end", () => process.kill(process.pid, "SIGKILL")).resume();
(stdin as unknown as { unref(): void }).unref();
console.log(`owner ${await ownerId(stateDir())}`);
if (OWN === undefined) await main();
else {
  process.on("SIGINT", () => console.log("own handler"));
  await main().catch((error: unknown) => console.log(`threw ${(error as sky.SkyError).code}`));
  process.exitCode = 9;
}
