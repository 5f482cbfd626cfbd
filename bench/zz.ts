import * as sky from "skyward";
const spin = sky.fn((n: number) => { const until = performance.now() + 100; while (performance.now() < until); return n; });
await sky.compute({ provider: sky.local(), nodes: Number(process.argv[2]), worker: { concurrency: Number(process.argv[3]) }, console: "silent" }, async (pool) => {
  const t = performance.now(); let done = 0;
  const seen = new Set<number>();
  const timer = setTimeout(() => { console.log("missing", [...Array(45).keys()].filter((i) => !seen.has(i)), JSON.stringify(pool.stats())); process.exit(1); }, 9000);
  for await (const r of pool.map(spin, [...Array(45).keys()]).unordered()) { done++; seen.add(r); }
  clearTimeout(timer);
  console.log("done", done, performance.now() - t);
});
