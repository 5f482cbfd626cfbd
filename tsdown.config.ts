import { defineConfig } from "tsdown";

/** One entry, ES modules; `dist/agent.js` is built beside it by scripts/build-agent.mjs and must survive. */
export default defineConfig({
  entry: { index: "src/index.ts" },
  format: "esm",
  platform: "node",
  target: "node20.19",
  outDir: "dist",
  clean: false,
  dts: true,
  sourcemap: true,
  fixedExtension: false,
  outputOptions: { chunkFileNames: "chunks/[name]-[hash].js" },
});
