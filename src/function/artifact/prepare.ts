import type { EntrySource, Prepared } from "./artifact.ts";
import { projectRoot } from "./layout.ts";
import { Project } from "./project.ts";

const projects = new Map<string, Project>();

/**
 * Makes the files of a function: what its entry reaches, in the layout that it has at home.
 * @throws SkyError SKY_CAPTURE_UNRESOLVED, SKY_CAPTURE_UNSUPPORTED
 */
export function prepare(entry: EntrySource): Promise<Prepared> {
  const root = projectRoot(entry.file);
  const { listed = [] } = entry;
  const key = `${root}\0${JSON.stringify(listed)}`;
  let project = projects.get(key);
  if (project === undefined) {
    project = new Project(root, userConditions(), listed);
    projects.set(key, project);
  }
  return project.prepare(entry);
}

/** What the user's program was started with: `--conditions=x`, `-C x`. */
function userConditions(): string[] {
  const args = [...process.execArgv, ...(process.env["NODE_OPTIONS"] ?? "").split(/\s+/)];
  return args.flatMap((arg, index) => {
    const inline = /^(?:--conditions|-C)=(.+)$/.exec(arg)?.[1];
    const next = arg === "--conditions" || arg === "-C" ? args[index + 1] : undefined;
    return [inline ?? next].filter((value) => value !== undefined);
  });
}
