/**
 * A controller that is killed at a given point: KILL is "before prepare", "after provision" and so on, "task" for
 * while a task runs, or nothing. HANG names a call that never ends. Tells its machines' owner, then what it did, on stdout.
 */
import * as sky from "skyward";
import { ownerId } from "../../../src/pool/ledger/owner.ts";
import { stateDir } from "../../../src/pool/ledger/state-dir.ts";
import { Disturbed, type Plan } from "../disturbed.ts";

const { KILL = "", IMAGE = "", TTL = "600s", NAME = "killed", HOLD = "1", HANG = "" } = process.env;
const killed =
  (when: string): Plan =>
  (call) => {
    if (when === "before" && HANG === call) {
      console.log(`hangs in ${call}`);
      return new Promise<undefined>(() => undefined);
    }
    if (KILL !== `${when} ${call}`) return undefined;
    process.kill(process.pid, "SIGKILL");
    // Nothing else happens until the signal has come.
    return new Promise<undefined>(() => undefined);
  };
const provider = new Disturbed(sky.container({ image: IMAGE }), killed("before"), killed("after"));

const work = sky.fn(async (ms: number) => {
  console.log(`works for ${ms} ms`);
  await new Promise((resolve) => setTimeout(resolve, ms));
  return "done";
});

console.log(`owner ${await ownerId(stateDir())}`);
await sky.compute({ name: NAME, provider, nodes: 1, ttl: TTL, console: "log" }, async (pool) => {
  const hold = Number(HOLD);
  const long = pool.run(work(hold));
  for await (const event of pool.events) if (event.type === "Log.Emitted" && event.message.includes("works for")) break;
  console.log("working");
  if (KILL === "task") process.kill(process.pid, "SIGKILL");
  console.log(`held: ${await long}`);
});
console.log("closed");
