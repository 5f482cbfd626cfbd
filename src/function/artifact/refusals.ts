import { SkyError } from "../../errors/sky-error.ts";
import type { EntrySource } from "./artifact.ts";

export function refusePlugAndPlay(entry: EntrySource, root: string): SkyError {
  return new SkyError(
    "SKY_CAPTURE_UNSUPPORTED",
    `${entry.name} can't be sent: the project's packages are installed by Yarn Plug'n'Play, which keeps them in archives.\n    in ${root}`,
    {
      hint: 'Write "nodeLinker: node-modules" into .yarnrc.yml, and run yarn install.',
      details: { stage: "artifact", function: entry.name, file: entry.file },
    },
  );
}

export function refuseInclude(entry: EntrySource, pattern: string): SkyError {
  return new SkyError(
    "SKY_CAPTURE_UNRESOLVED",
    `${entry.name} can't be sent: include names ${JSON.stringify(pattern)}, and nothing is there.\n    relative to ${entry.file}`,
    {
      hint: "Globs of include are relative to the file that the function is in.",
      details: { stage: "artifact", function: entry.name, file: entry.file },
    },
  );
}

/** The main program, or the file of the function, would run on the node. */
export function refuseMain(entry: EntrySource, main: string, importer: string | undefined): SkyError {
  const by = importer ?? entry.file;
  return new SkyError(
    "SKY_CAPTURE_UNSUPPORTED",
    `${entry.name} can't be sent: ${by} imports ${main}, which would run your program on the node.`,
    {
      hint: "Move what it needs of that file to a file of its own.",
      details: { stage: "artifact", function: entry.name, file: by },
    },
  );
}
