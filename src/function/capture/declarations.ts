import { emitDeclarations } from "./emit/declarations.ts";
import type { EmittedModule } from "./emit/module.ts";
import { loadedExports } from "./exports.ts";
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
    if (exportName === "*" || live === undefined) throw refuseAll(path);
    const variable = module.exportedVariable(exportName);
    const loaded = module.kind === "cjs" ? loadedExports(module.file) : undefined;
    if (loaded !== undefined && exportName in loaded) {
      exported.set(exportName, graph.takeValue(exportName, loaded[exportName], value, path.to(exportName)));
    } else if (variable !== undefined) {
      exported.set(exportName, graph.takeVariable(variable, live, value, module, path));
    } else if (module.wrapper !== undefined && module.kind === "cjs") {
      throw refuseUnseen(path.to(exportName));
    } else {
      exported.set(exportName, undefined); // the name of a type, which a compiler could not tell
    }
  }
  graph.settle();
  return emitDeclarations(graph, module, exported, (fillings) =>
    readValues(graph.values.slots, fillings, graph.values.shaped),
  );
}

function refuseUnseen(path: Path): Error {
  const why = "can't be read: Jest keeps what a module exports to itself";
  return refuse("SKY_CAPTURE_UNSUPPORTED", path, "", why, "Move it to a file of its own.");
}

function refuseAll(path: Path): Error {
  const why = "imports all of the file that the function is in, which is never loaded on a node";
  return refuse(
    "SKY_CAPTURE_UNSUPPORTED",
    path,
    "",
    why,
    "Import the names that it needs, or move them to a file of their own.",
  );
}
