import { emitDeclarations } from "./emit/declarations.ts";
import type { EmittedModule } from "./emit/module.ts";
import { Graph } from "./graph.ts";
import { inspectFunction } from "./inspector.ts";
import { Path, refuse } from "./refuse.ts";
import type { Slot, SourceItem } from "./slot.ts";
import { readValues } from "./values.ts";

/**
 * Modules that stand for a function's own file where other files of the user's import from it, since that file is never
 * imported on a node. What they export is as it is now.
 * @throws SkyError SKY_CAPTURE_*
 */
export function declarationsFor(
  name: string,
  source: SourceItem,
  homes: ReadonlySet<string>,
  names: readonly string[],
  importer: string,
): readonly EmittedModule[] {
  const { module, value, start } = source;
  const live = inspectFunction(value);
  const path = new Path([name, importer], module.original(start));
  const graph = new Graph(name, homes);
  const exported = new Map<string, Slot | undefined>();
  for (const exportName of names) {
    const variable = module.exportedVariable(exportName);
    if (exportName === "*" || live === undefined) throw refuseAll(path);
    // A name without a variable is that of a type, which a compiler could not tell.
    exported.set(exportName, variable && graph.takeVariable(variable, live, value, module, path));
  }
  graph.settle();
  return emitDeclarations(graph, module, exported, (fillings) => readValues(graph.values.slots, fillings));
}

function refuseAll(path: Path): Error {
  const why = "imports all of the file that the function is in, which is never loaded on a node";
  return refuse("SKY_CAPTURE_UNSUPPORTED", path, "", why, "Import the names that it needs, or move them to a file of their own.");
}
