import { join } from "node:path";
import type { ArtifactExternal } from "../artifact.ts";
import { type Layout, readManifest } from "../layout.ts";
import { keep } from "../store.ts";
import { installPlan } from "./install-plan.ts";
import { lockOf } from "./lock-of.ts";
import { BUILT } from "./natives.ts";

const known = new Map<string, ArtifactExternal>();

/** What a node is told of a package that it installs. */
export function externalOf(root: string, why: string, layout: Layout): ArtifactExternal {
  const key = `${layout.root}\0${root}`;
  let external = known.get(key);
  if (external === undefined) {
    external = describe(root, why, layout);
    known.set(key, external);
  }
  return external;
}

function describe(root: string, why: string, layout: Layout): ArtifactExternal {
  const name = root.slice(root.lastIndexOf("node_modules/") + "node_modules/".length);
  const manifest = readManifest(join(root, "package.json"));
  const version = manifest.version ?? "0.0.0";
  const { lock, key } = lockOf(root, manifest.name ?? name, version);
  const plan = installPlan({ name, project: layout.root, lock, key, built: why === BUILT });
  return {
    name,
    version,
    integrity: lock.get(key)?.integrity,
    path: layout.place(root),
    home: root,
    why,
    plan: keep(Buffer.from(JSON.stringify(plan))),
    unlisted: plan.unlisted === true,
  };
}
