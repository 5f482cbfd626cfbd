import { local } from "../../src/providers/local/local.ts";
import { LineReader, newToken, nodeConfig, spawnChildren } from "./toy.ts";

/**
 * A program with two local nodes whose tasks have children: `toy-controller.ts AGENT hold|leave`. Prints the pids of
 * the children, then holds its nodes for ever, or just ends.
 */
const [agent = "", then] = process.argv.slice(2);
const signal = new AbortController().signal;
const provider = local({ agent });
const token = newToken();
const pids: number[] = [];
for (const rank of [0, 1]) {
  const machine = await provider.provision({ rank, pool: "toy" }, signal);
  await machine.start(nodeConfig(token, { rank }), signal);
  if (then === "leave") continue;
  const key = { token, epoch: 1 };
  await machine.connect("control", key, signal);
  const data = new LineReader(await machine.connect("data", key, signal));
  await data.json();
  for (const how of ["plain", "bare", "detached"] as const) pids.push(...(await spawnChildren(data, how)));
}
console.log(JSON.stringify(pids));
