// A pool to look at: three nodes with a bootstrap, and naps for as long as the first argument says (ms).
import * as sky from "skyward";

const nap = sky.fn(async (i: number) => {
  await new Promise((resolve) => setTimeout(resolve, 200));
  if (i % 10 === 0) console.log(`nap ${i} is over`);
});
const fast = sky.metrics.Default({ cpuInterval: "100ms", memoryInterval: "100ms" });
const image: sky.Image = { steps: ["echo looking around; sleep 0.5", `true ${process.pid}`], metrics: fast };
const name = "demo";
await sky.compute({ name, nodes: 3, worker: { concurrency: 4 }, image, console: "rich" }, async (pool) => {
  await pool.map(
    nap,
    Array.from({ length: (Number(process.argv[2]) / 200) * 12 }, (_, i) => i),
  );
});
