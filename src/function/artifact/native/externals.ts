import { join } from "node:path";
import type { ArtifactExternal } from "../artifact.ts";
import { type Layout, readManifest } from "../layout.ts";
import { keep } from "../store.ts";
import { maySetUp } from "./allowed-scripts.ts";
import { installPlan, listedPlan } from "./install-plan.ts";
import type { ListedPackage } from "./listed.ts";
import { lockOf } from "./lock-of.ts";
import { BUILT, LISTED } from "./natives.ts";

const known = new Map<string, ArtifactExternal>();

/** What a node is told of a package that it installs. `listed`: what the image says of it. */
export function externalOf(root: string, why: string, layout: Layout, listed?: ListedPackage): ArtifactExternal {
  const key = `${layout.root}\0${root}\0${JSON.stringify(listed)}`;
  let external = known.get(key);
  if (external === undefined) {
    external = describe(root, why, layout, listed);
    known.set(key, external);
  }
  return external;
}

/** The same of a package that is not installed here. */
export function absentExternal(listed: ListedPackage): ArtifactExternal {
  const plan = listedPlan(listed);
  return {
    name: listed.name,
    version: plan.version,
    integrity: undefined,
    path: `node_modules/${listed.name}`,
    home: undefined,
    why: LISTED,
    plan: keep(Buffer.from(JSON.stringify(plan))),
    unlisted: false,
  };
}

function describe(root: string, why: string, layout: Layout, listed: ListedPackage | undefined): ArtifactExternal {
  const name = root.slice(root.lastIndexOf("node_modules/") + "node_modules/".length);
  const manifest = readManifest(join(root, "package.json"));
  const version = manifest.version ?? "0.0.0";
  const path = layout.place(root);
  // The image's version wins.
  if (listed?.version !== undefined && listed.version !== version) return { ...absentExternal(listed), path };
  const { lock, key } = lockOf(root, manifest.name ?? name, version);
  const plan = installPlan({
    name,
    maySetUp: (one, itsVersion) => (one === name && listed?.scripts === true) || maySetUp(layout.root, one, itsVersion),
    lock,
    key,
    built: why === BUILT,
  });
  return {
    name,
    version,
    integrity: lock.get(key)?.integrity,
    path,
    home: root,
    why,
    plan: keep(Buffer.from(JSON.stringify(plan))),
    unlisted: plan.unlisted === true,
  };
}
