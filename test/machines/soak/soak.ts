/**
 * What takes longer than a gate may, on machines of the rig. `npm run soak -- blackout lost`: those; without a name all.
 * Those with chance in them say their SEED; SEED=1234 begins with that one, ROUNDS=10 and MINUTES=1 make them shorter.
 */
import { randomInt } from "node:crypto";
import setUp from "../../rig/global-setup.ts";
import { killedAtRandom } from "../killed-at-random.ts";
import { spinning } from "../spin.ts";
import { blackout } from "./blackout.ts";
import { lost } from "./lost.ts";
import { weather } from "./weather.ts";

const { ROUNDS = "40", MINUTES = "5" } = process.env;
const seed = Number(process.env["SEED"] ?? randomInt(1_000_000));
const AT_ONCE = 2;

async function killed(): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let round = next++; round < Number(ROUNDS); round = next++)
      console.log(await killedAtRandom(seed + round, round % 4 === 3 ? "lease" : "sweep"));
  };
  console.log(`SEED=${seed}`);
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function spin(): Promise<void> {
  // This computer's other programs go first, so that it can be used meanwhile; that makes it no easier to stay alive.
  const run = ["--cpu-shares", "256"];
  for (const executor of ["thread", "process"] as const) await spinning(Number(MINUTES) * 60_000, executor, { run });
}

const SOAKS: Readonly<Record<string, () => Promise<void>>> = { blackout, lost, killed, spin, weather };

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(SOAKS);
const tearDown = await setUp();
try {
  for (const name of names) {
    const soak = SOAKS[name];
    if (!soak) throw new Error(`there is no soak "${name}"; there are ${Object.keys(SOAKS).join(", ")}`);
    await soak();
    console.log(`${name}: good`);
  }
} finally {
  await tearDown();
}
