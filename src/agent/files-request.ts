/** What the agent's program is to do with files of its machine: the first line on its stdin. */
export type FilesRequest =
  | { readonly op: "ls"; readonly path: string }
  | { readonly op: "rm"; readonly path: string; readonly recursive: boolean }
  /** `name`: of the file that comes, for a path that is a folder. */
  | { readonly op: "receive"; readonly path: string; readonly name: string | undefined }
  /** To the folder at `path`, by way of what the machine has kept by content. */
  | { readonly op: "sync"; readonly path: string }
  | { readonly op: "send"; readonly path: string; readonly excludes: readonly string[] };
