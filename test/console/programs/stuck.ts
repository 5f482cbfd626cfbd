// Stuck in synchronous code while a pool is open: `stuck.ts MS`; then it ends.
import * as sky from "skyward";

await sky.compute({ console: "silent" }, async () => {
  console.log(`stuck, pid ${process.pid}`);
  const end = performance.now() + Number(process.argv[2]);
  while (performance.now() < end);
  console.log("free again");
  await new Promise((resolve) => setTimeout(resolve, 200));
});
console.log("closed");
