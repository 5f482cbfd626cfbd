import { defineConfig } from "tsdown";

const common = {
  platform: "node",
  target: "node20.19",
  outDir: "dist",
  clean: false,
  sourcemap: true,
  fixedExtension: false,
} as const;

/**
 * The library, the suite for providers, the CLI, and the files that the CLI runs in other processes; ES modules. `dist/agent.js` is built beside
 * them by scripts/build-agent.mjs and must survive.
 */
const modules = defineConfig({
  ...common,
  entry: {
    index: "src/index.ts",
    conformance: "src/conformance.ts",
    cli: "src/cli/main.ts",
    "check-child": "src/cli/check/child.ts",
    "check-register": "src/cli/check/typescript/register.ts",
    "check-hooks": "src/cli/check/typescript/hooks.ts",
  },
  format: "esm",
  dts: true,
  outputOptions: { chunkFileNames: "chunks/[name]-[hash].js" },
});

/**
 * The library as one CommonJS file, for tools that load packages on their own: Jest has neither ES modules nor
 * `import()`. What is published as ES modules alone goes into the file.
 */
const commonJs = defineConfig({
  ...common,
  entry: { index: "src/index.ts" },
  format: "cjs",
  dts: true,
  sourcemap: false,
  deps: { alwaysBundle: ["ssh-config"] },
  outputOptions: { codeSplitting: false, dynamicImportInCjs: false },
});

export default [modules, commonJs];
