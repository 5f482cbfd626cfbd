import type { Variable } from "eslint-scope";
import type { LoadedModule } from "./loaded-module.ts";

/**
 * Whether a variable of a module's top level is still in its dead zone: the module's own frame, further up the stack,
 * stands before the declaration. Node 20 reads such a variable as undefined; later versions tell by themselves.
 */
export function isBeforeDeclaration(variable: Variable, module: LoadedModule): boolean {
  const [definition] = variable.defs;
  // A bundler makes `var` of them all.
  const isVariable = (definition?.type as string) === "Variable";
  if (
    definition === undefined ||
    (!isVariable && (definition.type as string) !== "ClassName") ||
    !module.top.isScope(variable.scope)
  )
    return false;
  const { start } = definition.name as unknown as { readonly start: number };
  return topFrames(module).some((offset) => offset < start);
}

/** Where the top level of the module stands just now, as offsets in its text. */
function topFrames(module: LoadedModule): number[] {
  const { prepareStackTrace, stackTraceLimit } = Error;
  Error.stackTraceLimit = 200;
  Error.prepareStackTrace = (_, sites) => sites;
  const sites = new Error().stack as unknown as readonly NodeJS.CallSite[] | string | undefined;
  Error.prepareStackTrace = prepareStackTrace;
  Error.stackTraceLimit = stackTraceLimit;
  if (!Array.isArray(sites)) return [];
  return (sites as readonly NodeJS.CallSite[]).flatMap((site) => {
    const file = site
      .getFileName()
      ?.replace(/^file:\/\//, "")
      .split("?")[0];
    const inTop = site.getFunctionName() === null || site.getFunctionName() === "Object.<anonymous>";
    const line = site.getLineNumber();
    const column = site.getColumnNumber();
    if (line === null || column === null || !inTop || file === undefined || decodeURI(file) !== module.file) return [];
    const offset = module.lines.offset(line - 1 - module.linesBefore, column - 1);
    return module.top.hasPosition(offset) ? [offset] : [];
  });
}
