/** Where a function is that ships by file and export. */
export interface ModuleExport {
  /** The file that names it. */
  readonly file: string;
  readonly specifier: string;
  readonly exported: string;
}

/** On the body of a function that `sky.module` made. */
export const MODULE: unique symbol = Symbol.for("skyward.module") as never;

/** What `sky.module` made the function of, if it did. */
export function moduleExportOf(body: (...args: never) => unknown): ModuleExport | undefined {
  return (body as { readonly [MODULE]?: ModuleExport })[MODULE];
}
