import type { Readable } from "node:stream";
import { SkyError } from "../../errors/sky-error.ts";
import type { ExecOptions } from "./exec.ts";

/** More than this can't be one text; what is so large belongs into a file. */
const COLLECTED_MAX_BYTES = 256 * 1024 * 1024;

/** Reads what a command prints on one of its streams. */
export class OutputReader {
  /** Settles when the stream has ended. @throws what `onOutput` threw; SkyError SKY_EXEC_FAILED for too much output */
  readonly done: Promise<void>;
  readonly #from: Readable;
  readonly #node: number;
  readonly #stream: "stdout" | "stderr";
  readonly #onOutput: ExecOptions["onOutput"];
  readonly #collects: boolean;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #chunks: Buffer[] = [];
  #size = 0;

  constructor(from: Readable, node: number, stream: "stdout" | "stderr", { onOutput, collect }: ExecOptions) {
    this.#from = from;
    this.#node = node;
    this.#stream = stream;
    this.#onOutput = onOutput;
    this.#collects = collect !== false;
    this.done = this.#read();
  }

  /** What has come so far. */
  get text(): string {
    return Buffer.concat(this.#chunks).toString();
  }

  async #read(): Promise<void> {
    const chunks = this.#from[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    try {
      for (;;) {
        // A connection that breaks ends the stream in the middle; the missing exit code tells it.
        const next = await chunks.next().catch(() => ({ done: true }) as const);
        if (next.done === true) break;
        this.#keep(next.value);
        if (this.#onOutput !== undefined)
          await this.#tell(next.value, this.#decoder.decode(next.value, { stream: true }));
      }
      const rest = this.#decoder.decode();
      if (rest !== "") await this.#tell(Buffer.alloc(0), rest);
    } catch (error) {
      // What comes until the command has ended is nobody's.
      this.#from.resume();
      throw error;
    }
  }

  #keep(chunk: Buffer): void {
    if (!this.#collects) return;
    this.#size += chunk.length;
    if (this.#size > COLLECTED_MAX_BYTES)
      throw new SkyError(
        "SKY_EXEC_FAILED",
        `the command printed more than ${COLLECTED_MAX_BYTES / 2 ** 20} MB on node ${this.#node}`,
        {
          hint: "Have it write a file, and fetch that by pool.files.download; or read it by onOutput with collect: false.",
        },
      );
    this.#chunks.push(chunk);
  }

  async #tell(bytes: Buffer, text: string): Promise<void> {
    await this.#onOutput?.({ node: this.#node, stream: this.#stream, text, bytes });
  }
}
