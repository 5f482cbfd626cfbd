import { esbuild } from "./artifact/esbuild.ts";
import { transformAhead } from "./capture/as-by-tsx.ts";
import { mainFile } from "./capture/homes.ts";
import { parseWithScopes } from "./capture/parser.ts";

/** Enough of everything for a parser to be read and compiled. */
const SAMPLE = "import { a } from 'b';\nexport class C extends a { static x = async ({ y }) => `${y}` || [...y]; }";

/**
 * Starts the tools in the background, so that the first function doesn't wait for them. Called when a pool opens;
 * a failure shows itself where the tool is really needed.
 */
export function warm(): void {
  const main = mainFile();
  void Promise.allSettled([
    esbuild().then((tool) => tool.transform("")),
    import("./artifact/prepare.ts"),
    main === undefined ? undefined : transformAhead(main),
    // What opens the pool goes first.
    new Promise(setImmediate).then(() => parseWithScopes(SAMPLE, "esm")),
  ]);
}
