// A pool that stays open until stdin ends; each line on stdin has every node print one.
import { createInterface } from "node:readline";
import * as sky from "skyward";

const say = sky.fn((words: string) => console.log(`${words} from ${sky.instanceInfo().node}`));
await sky.compute({ name: "demo", nodes: 2, image: { env: { GREETING: "hi" } }, console: "silent" }, async (pool) => {
  await pool.broadcast(say("hello"));
  console.log("open");
  for await (const _ of createInterface({ input: process.stdin })) await pool.broadcast(say("once more"));
});
