import { cpus, totalmem } from "node:os";
import type { CloudProvider, Instance, Intent, Order } from "../cloud-provider.ts";
import { inspect, LABEL } from "./describe.ts";
import { engine, isGone, isTaken } from "./engine.ts";
import { ENTRY_SCRIPT, LEASE_LEFT_SCRIPT } from "./entry-script.ts";
import { type ContainerImage, imageAtHand } from "./images.ts";
import { isRootless } from "./rootless.ts";
import { changeOf, removeImages, savedImages, tooMany } from "./saved-images.ts";
import { type ContainerOptions, resolveContainer, type ResolvedContainer } from "./options.ts";

interface Prepared {
  readonly image: ContainerImage;
  readonly authorizedKey: string;
  /** Whether machines are logged in to at a port of this computer. */
  readonly published: boolean;
}

/** Elsewhere containers live in a machine of their own, and only published ports lead there. */
const HAS_ADDRESSES = process.platform === "linux";

/**
 * Nodes as containers of this computer, made by Docker or Podman.
 *
 * ```ts
 * sky.compute({ provider: sky.container({ image: "debian:12", vcpus: 2, memoryGb: 4 }), nodes: 4 }, ...)
 * ```
 *
 * @throws SkyError SKY_BAD_OPTION; SKY_PROVIDER_* when the pool opens
 */
export function container(options: ContainerOptions = {}): CloudProvider {
  return new Containers(resolveContainer(options));
}

class Containers implements CloudProvider<Prepared> {
  readonly name = "container";
  readonly trust = "ours";
  readonly selfEnd = "os";
  readonly reference: CloudProvider["reference"];
  readonly shape: string;
  readonly #options: ResolvedContainer;

  constructor(options: ResolvedContainer) {
    this.#options = options;
    this.shape = JSON.stringify(options);
    this.reference = { name: this.name, options: { binary: options.binary } };
  }

  async *offers(): AsyncGenerator<{ id: string; vcpus: number; memoryGb: number; price: number }> {
    const { vcpus = cpus().length, memoryGb = totalmem() / 2 ** 30 } = this.#options;
    yield await Promise.resolve({ id: "container", vcpus, memoryGb, price: 0 });
  }

  async prepare({ authorizedKey, environment, tell }: Order, signal: AbortSignal): Promise<Prepared> {
    const { binary, image } = this.#options;
    const [atHand, rootless] = await Promise.all([
      imageAtHand(binary, { image, environment, tell }, signal),
      HAS_ADDRESSES && isRootless(binary, signal),
    ]);
    return { authorizedKey, image: atHand, published: !HAS_ADDRESSES || rootless };
  }

  async provision(
    intent: Intent,
    { image, authorizedKey, published }: Prepared,
    signal: AbortSignal,
  ): Promise<Instance> {
    const { binary, network, vcpus, memoryGb } = this.#options;
    const { name, hostKey, ttlS } = intent;
    const memory = memoryGb === undefined ? undefined : `${Math.round(memoryGb * 1024)}m`;
    const words = [
      ["run", "--detach", "--rm", "--stop-timeout", "0", "--name", name, "--hostname", name],
      Object.entries(intent.tags).flatMap(([tag, value]) => ["--label", `${LABEL}${tag}=${value}`]),
      network === undefined ? [] : ["--network", network],
      published ? ["--publish", "127.0.0.1::22"] : [],
      vcpus === undefined ? [] : ["--cpus", String(vcpus)],
      memory === undefined ? [] : ["--memory", memory, "--memory-swap", memory],
      ["--tmpfs", "/run"],
      ["--env", "SKYWARD_HOST_KEY", "--env", "SKYWARD_AUTHORIZED_KEY"],
      ["--env", `SKYWARD_TTL=${ttlS}`, "--entrypoint", "/bin/sh", image.name, "-c", ENTRY_SCRIPT],
    ];
    // Words of a command can be read by every user of this computer.
    const keys = { SKYWARD_HOST_KEY: hostKey.privateKey.trim(), SKYWARD_AUTHORIZED_KEY: authorizedKey };
    await engine(binary, words.flat(), signal, keys).catch((error: unknown) => {
      if (!isTaken(error)) throw error;
    });
    const made = await this.describe(name, signal);
    return made ?? { id: name, name, tags: intent.tags, state: "starting", createdAt: Date.now() };
  }

  async list(owner: string, signal: AbortSignal): Promise<readonly Instance[]> {
    const { binary } = this.#options;
    const filter = ["--all", "--no-trunc", "--filter", `label=${LABEL}owner=${owner}`];
    const ids = await engine(binary, ["ps", ...filter, "--format", "{{.ID}}"], signal);
    return inspect(binary, ids === "" ? [] : ids.split("\n"), signal);
  }

  async describe(id: string, signal: AbortSignal): Promise<Instance | undefined> {
    return (await inspect(this.#options.binary, [id], signal))[0];
  }

  async terminate(id: string, signal: AbortSignal): Promise<void> {
    await engine(this.#options.binary, ["rm", "--force", "--volumes", id], signal).catch((error: unknown) => {
      if (!isGone(error) && !/already in progress/.test((error as Error).message)) throw error;
    });
  }

  async teardown(): Promise<void> {
    // Images stay, for the next pool.
  }

  async save(id: string, { image }: Prepared, signal: AbortSignal): Promise<void> {
    const { binary } = this.#options;
    if (image.saveAs === undefined) return;
    await engine(binary, ["commit", "--pause=false", ...changeOf("baked"), id, image.saveAs], signal);
    await removeImages(binary, tooMany(await savedImages(binary, signal), Date.now()), signal);
  }

  async leaseLeft(id: string, signal: AbortSignal): Promise<number | undefined> {
    const words = ["exec", id, "/bin/sh", "-c", LEASE_LEFT_SCRIPT];
    const said = await engine(this.#options.binary, words, signal).catch(() => "");
    if (said === "none") return Infinity;
    return /^-?\d+$/.test(said) ? Number(said) : undefined;
  }
}
