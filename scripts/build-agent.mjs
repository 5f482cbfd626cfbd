import { rename } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** Bundles the agent into one file: `build-agent.mjs [OUT [ENTRY]]`; tests bundle an agent with a toy host the same way. */
const inRepository = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const [out = inRepository("dist/agent.js"), entry = inRepository("src/agent/main.ts")] = process.argv.slice(2);
// Another process may read the file while this one writes it.
const temporary = `${out}.${process.pid}`;

/** Node's own modules are loaded by the role that uses them, not by every process at its start: 7 % of a node's start. */
const lazyBuiltins = {
  name: "lazy-builtins",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path }) => ({ path, namespace: "builtin" }));
    onLoad({ filter: /.*/, namespace: "builtin" }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
    }));
  },
};

const common = {
  bundle: true,
  platform: "node",
  target: "node20.19",
  conditions: ["skyward:source"],
  plugins: [lazyBuiltins],
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  logLevel: "warning",
};

/** The program of executor processes travels inside the agent: nodes get one file. */
const slot = await build({
  ...common,
  entryPoints: [inRepository("src/agent/slot-main.ts")],
  format: "cjs",
  minifyIdentifiers: true,
  keepNames: true,
  write: false,
});

await build({
  ...common,
  entryPoints: [entry],
  outfile: temporary,
  format: "esm",
  define: { SLOT_PROGRAM: JSON.stringify(slot.outputFiles[0].text) },
});
await rename(temporary, out);
