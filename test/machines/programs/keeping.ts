/**
 * One run of a pool that is kept: KEEP for how long, NODES of them, by container (IMAGE) or ssh (HOSTS, KEY, KNOWN_HOSTS).
 * Says on stdout who each node is, when it is in the pool, and waits HOLD ms there.
 */
import * as sky from "skyward";
import { ownerId } from "../../../src/pool/ledger/owner.ts";
import { stateDir } from "../../../src/pool/ledger/state-dir.ts";

const { IMAGE, HOSTS = "", KEY = "", KNOWN_HOSTS = "" } = process.env;
const { KEEP, NODES = "1", NAME = "kept", STEP, TTL = "600s", HOLD = "0", SPICE = "" } = process.env;
const provider = IMAGE
  ? sky.container({ image: IMAGE })
  : sky.ssh({ hosts: HOSTS.split(","), key: KEY, knownHosts: KNOWN_HOSTS });

const place = sky.fn(async () => {
  const [{ hostname }, { readlinkSync, readFileSync }] = [await import("node:os"), await import("node:fs")];
  const state = globalThis as { seen?: number };
  state.seen = (state.seen ?? 0) + 1;
  const host = readFileSync(`/proc/${process.pid}/stat`, "latin1").split(" ")[3];
  return {
    host: hostname(),
    supervisor: Number(host),
    seen: state.seen,
    cwd: readlinkSync("/proc/self/cwd"),
    spice: process.env["SPICE"],
  };
});

const began = performance.now();
console.log(`owner ${await ownerId(stateDir())}`);
await sky.compute(
  {
    name: NAME,
    provider,
    nodes: Number(NODES),
    ttl: TTL,
    console: "log",
    env: { SPICE },
    ...(KEEP === undefined ? {} : { keep: KEEP }),
    ...(STEP === undefined ? {} : { image: { steps: [STEP] } }),
  },
  async (pool) => {
    console.log(`ready ${Math.round(performance.now() - began)} ms`);
    console.log(`places ${JSON.stringify(await pool.broadcast(place()))}`);
    await new Promise((resolve) => setTimeout(resolve, Number(HOLD)));
  },
);
console.log("closed");
