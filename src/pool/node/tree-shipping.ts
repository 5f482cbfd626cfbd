import type { Artifact } from "../../function/artifact/artifact.ts";
import { Op } from "../../wire/ops.ts";
import { pack } from "../../wire/packed.ts";
import type { CodeRecord } from "../../wire/records.ts";
import type { Session } from "../../wire/session.ts";
import { type Thing, treeChange, type TreeChange } from "../../wire/tree.ts";

/** So many of the trees that a host has are looked at for one that is near. */
const LOOKED_AT = 16;

/** The trees of functions that one host has been sent: each goes as its difference from the one that is nearest. */
export class TreeShipping {
  readonly #session: Session;
  readonly #trees = new Map<number, readonly Thing[]>();

  constructor(session: Session) {
    this.#session = session;
  }

  /** `more`: what else the host is to know of the code. */
  send(code: number, artifact: Artifact, more: Partial<CodeRecord>): void {
    const things = thingsOf(artifact);
    const { base, change } = this.#nearest(things);
    const record = { code, entry: artifact.entry, ...(base === undefined ? {} : { base }), ...change, ...more };
    this.#session.send(Op.CODE, pack(Buffer.from(JSON.stringify(record satisfies CodeRecord))));
    this.#trees.set(code, things);
  }

  #nearest(things: readonly Thing[]): { readonly base: number | undefined; readonly change: TreeChange } {
    let best: { base: number | undefined; change: TreeChange } = { base: undefined, change: treeChange([], things) };
    for (const [base, before] of [...this.#trees].slice(-LOOKED_AT)) {
      const change = treeChange(before, things);
      if (sizeOf(change) < sizeOf(best.change)) best = { base, change };
    }
    return best;
  }
}

function sizeOf({ added, gone }: TreeChange): number {
  return added.length + gone.length;
}

/** Files and links in the order of their paths. */
function thingsOf({ files, links }: Artifact): readonly Thing[] {
  const all = [
    ...files.map(({ path, hash }): Thing => [path, hash]),
    ...links.map(({ path, target }): Thing => [path, `>${target}`]),
  ];
  return all.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}
