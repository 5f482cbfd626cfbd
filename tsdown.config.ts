import { defineConfig } from "tsdown";

/**
 * The library, the CLI, and the files that the CLI runs in other processes; ES modules. `dist/agent.js` is built beside
 * them by scripts/build-agent.mjs and must survive.
 */
export default defineConfig({
  entry: {
    index: "src/index.ts",
    cli: "src/cli/main.ts",
    "check-child": "src/cli/check/child.ts",
    "check-register": "src/cli/check/typescript/register.ts",
    "check-hooks": "src/cli/check/typescript/hooks.ts",
  },
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
