// A node dies whose data link was away: what was given to it since then has never left, and may run although it may run once only.
import assert from "node:assert/strict";
import * as sky from "skyward";
import { heldLinks } from "../../support/held-links.ts";

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const pid = sky.fn(() => process.pid);
const hold = sky.fn(() => {
  sky.task().progress(0);
  return new Promise<never>(() => {});
});
const links = heldLinks(sky.local());

await sky.compute(
  { provider: links.provider, worker: { concurrency: 4 }, retryOnInterruption: 0, console: "silent" },
  async (pool) => {
    const host = await pool.run(pid());
    let running = (): void => {};
    const runs = new Promise<void>((resolve) => (running = resolve));
    void (async () => {
      for await (const event of pool.events) if (event.type === "Task.Progress") running();
    })();
    const started = pool.run(hold().with({ rerun: "never" }));
    await runs;
    links.hold();
    // The cut is noticed within a turn or two of the loop.
    await new Promise((resolve) => setTimeout(resolve, 50));
    const unsent = pool.run(pid().with({ rerun: "never" }));
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(unsent.node, 0);
    process.kill(host, "SIGKILL");
    links.release();
    const error = await started.then(
      () => assert.fail("it was started, and is gone"),
      (reason: unknown) => reason as sky.SkyError,
    );
    assert.equal(error.code, "SKY_TASK_LOST");
    assert.equal(started.attempts[0]!.cause, "hostRestarted");
    say("ok what was started is lost");
    assert.notEqual(await unsent, host);
    assert.deepEqual(
      unsent.attempts.map(({ cause }) => cause),
      ["neverStarted", undefined],
    );
    say("ok what never left runs");
  },
);
say("done");
