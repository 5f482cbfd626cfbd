import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { cycles } from "./cycles.ts";
import { importsOf } from "./imports-of.ts";
import { edgeFault, moduleFault, readHouse } from "./rooms.ts";
import { sourcesBelow } from "./sources.ts";

/**
 * Checks that imports in `root`/src go the way that docs/architecture.md draws, and that nothing goes in circles.
 * Tests are free to import what they test. A cycle of files counts only where the imports exist when it runs;
 * between rooms, a type counts too.
 */
export function importFaults(root: string): string[] {
  const house = readHouse(readFileSync(join(root, "docs/architecture.md"), "utf8"));
  const source = join(root, "src");
  const faults: string[] = [];
  const files = new Map<string, Set<string>>();
  const rooms = new Map<string, Set<string>>();
  for (const from of sourcesBelow(source)) {
    for (const { specifier, line, typeOnly } of importsOf(from, readFileSync(join(source, from), "utf8"))) {
      const to = specifier.startsWith(".") ? posix.join(posix.dirname(from), specifier) : undefined;
      const fault = to === undefined ? moduleFault(from, specifier) : edgeFault({ from, to }, house);
      if (fault !== undefined) faults.push(`src/${from}:${line}: ${fault}`);
      if (to === undefined) continue;
      if (!typeOnly) link(files, from, to);
      const [here, there] = [from.split("/")[0]!, to.split("/")[0]!];
      if (here !== there && from.includes("/")) link(rooms, here, there);
    }
  }
  for (const part of cycles(files)) faults.push(`files import each other in a circle: ${part.join(", ")}`);
  for (const part of cycles(rooms)) faults.push(`rooms import each other in a circle: ${part.join(", ")}`);
  return faults;
}

function link(graph: Map<string, Set<string>>, from: string, to: string): void {
  const targets = graph.get(from);
  if (targets === undefined) graph.set(from, new Set([to]));
  else targets.add(to);
}
