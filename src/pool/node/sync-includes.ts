import { SkyError } from "../../errors/sky-error.ts";
import { type Includes, readIncludes } from "../../image/includes.ts";
import type { ResolvedImage } from "../../image/image.ts";
import type { Machine } from "../../providers/provider.ts";
import { sendSync } from "../../wire/files/sync.ts";
import { askFiles } from "../access/ask-files.ts";
import type { NodeNews } from "./node-news.ts";

/** Of a copy that is cut; each goes on where the last one was. */
const TRIES = 4;

/** Brings a pool's included files to its machines: those of one machine one after the other, so that each file crosses once. */
export class SyncIncludes {
  readonly #image: ResolvedImage;
  #read: Promise<Includes> | undefined;
  readonly #last = new Map<string, Promise<unknown>>();

  constructor(image: ResolvedImage) {
    this.#image = image;
  }

  /**
   * Nothing, where tasks run in this program's own folder.
   * @throws SkyError SKY_FILES_FAILED
   */
  async to(machine: Machine, node: number, emit: (event: NodeNews) => void, signal: AbortSignal): Promise<void> {
    const { includes, excludes, folder } = this.#image;
    const { workDir } = machine;
    if (includes.length === 0 || workDir === undefined) return;
    emit({ type: "Node.Bootstrap.Started", node, phase: "files" });
    this.#read ??= readIncludes(includes, excludes, folder).catch((cause: unknown) => {
      this.#read = undefined;
      throw new SkyError("SKY_FILES_FAILED", `image.includes: ${(cause as Error).message}`, { cause });
    });
    const { root, entries } = await this.#read;
    const request = { op: "sync", path: workDir } as const;
    const send = async (): Promise<void> => {
      const began = performance.now();
      for (let attempt = 1; ; attempt++) {
        try {
          const bytes = await askFiles({ node, machine }, request, signal, (to) => sendSync(to, root, entries));
          const elapsedMs = Math.round(performance.now() - began);
          emit({ type: "Node.Bootstrap.Output", node, output: `${bytes} bytes sent`, overwrite: false });
          emit({ type: "Transfer.Completed", node, direction: "out", bytes, elapsedMs });
          return emit({ type: "Node.Bootstrap.Completed", node, phase: "files", elapsedMs });
        } catch (error) {
          if (attempt === TRIES || !(error instanceof SkyError) || !error.retryable) throw error;
        }
      }
    };
    const before = this.#last.get(machine.host);
    const sending = before === undefined ? send() : before.then(send, send);
    this.#last.set(machine.host, sending);
    return sending;
  }
}
