// A node whose agent is killed after a task has printed, and one whose image can't be made; then the program ends.
import * as sky from "skyward";

const hello = sky.fn(() => {
  console.log(`hello from ${sky.task().id}`);
  return process.ppid;
});
await sky.compute({ name: "doomed", console: "silent" }, async (pool) => {
  const lost = (async () => {
    for await (const event of pool.events) if (event.type === "Node.Lost") return event.log;
    return undefined;
  })();
  process.kill(await pool.run(hello()), "SIGKILL");
  console.log(`lost ${await lost}`);
});
const image = { steps: ["echo so far so good; exit 3"] };
const error = await sky.compute({ name: "unmade", image, console: "silent" }, () => undefined).catch((e: unknown) => e);
if (!(error instanceof sky.SkyError)) throw new Error("it could be made");
console.log(`unmade ${String(error.details["log"])}`);
console.log(`hint ${error.hint}`);
