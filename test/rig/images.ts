import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { PINNED_NODES } from "../../src/image/pinned-nodes.ts";
import { nodeSource } from "../../src/providers/ssh/node-binary.ts";
import { docker, here } from "./docker.ts";

/** `bare` has neither Node nor Python; `baked` has the Node that a bare one would be sent. */
export type MachineKind = "bare" | "baked";

const RECIPE = join(import.meta.dirname, "image/debian.sh");
const LABEL = "skyward.rig.image";
const REPOSITORY = "skyward-rig";

/** The image's name: another recipe is another image. */
export async function imageOf(kind: MachineKind): Promise<string> {
  const hash = createHash("sha256").update(await readFile(RECIPE));
  if (kind === "baked") hash.update(pinnedNode().sha256);
  return `${REPOSITORY}:${kind}-${hash.digest("hex").slice(0, 12)}`;
}

/** Makes what is missing, which takes half a minute, and forgets images of recipes that are no more. */
export async function makeImages(): Promise<void> {
  const [bare, baked] = await Promise.all([imageOf("bare"), imageOf("baked")]);
  const listed = await docker("images", "--filter", `label=${LABEL}`, "--format", "{{.Repository}}:{{.Tag}}");
  const have = new Set(listed.split("\n"));
  if (!have.has(bare)) await makeBare(bare);
  if (!have.has(baked)) await makeBaked(baked, bare);
  const old = [...have].filter((name) => name.startsWith(`${REPOSITORY}:`) && name !== bare && name !== baked);
  // One that still runs somewhere stays, for the next time.
  for (const name of old) await docker("rmi", name).catch(() => undefined);
}

async function makeBare(name: string): Promise<void> {
  const change = ["--change", `LABEL ${LABEL}=bare`, "--change", 'CMD ["/usr/local/sbin/machine"]'];
  const pipe = 'set -o pipefail; recipe=$1; shift; bash "$recipe" | docker import "$@"';
  try {
    await here("bash", "-c", pipe, "bash", RECIPE, ...change, "-", name);
  } catch (error) {
    // What came of half a tar is no machine.
    await docker("rmi", name).catch(() => undefined);
    throw error;
  }
}

async function makeBaked(name: string, bare: string): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), "skyward-rig-"));
  const from = await docker("create", "--label", LABEL, bare);
  try {
    const node = join(work, "node");
    const { open, unpack = "cat" } = await nodeSource(pinnedNode());
    const unpacking = spawn("sh", ["-c", unpack], { stdio: ["pipe", "pipe", "inherit"] });
    await Promise.all([pipeline(open(), unpacking.stdin), pipeline(unpacking.stdout, createWriteStream(node))]);
    await chmod(node, 0o755);
    await docker("cp", node, `${from}:/usr/local/bin/node`);
    await docker("commit", "--change", `LABEL ${LABEL}=baked`, from, name);
  } finally {
    await Promise.all([docker("rm", from), rm(work, { recursive: true, force: true })]);
  }
}

function pinnedNode(): NonNullable<ReturnType<typeof PINNED_NODES.get>> {
  const system = `Linux/${process.arch === "arm64" ? "aarch64" : "x86_64"}`;
  return PINNED_NODES.get(system)!;
}
