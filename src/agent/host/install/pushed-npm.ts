import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

/** Asks the controller for its npm, once, where this machine has none. */
export class PushedNpm {
  readonly #folder: string;
  readonly #ask: () => void;
  #hasCome = false;
  #asked: Promise<string | undefined> | undefined;
  #answer: (archive: string | undefined) => void = () => {};

  constructor(dir: string, ask: () => void) {
    this.#folder = join(dir, "npm");
    this.#ask = ask;
  }

  /** Its program; undefined when the controller has none either. */
  get(): Promise<string | undefined> {
    this.#asked ??= new Promise<string | undefined>((resolve) => {
      this.#answer = resolve;
      this.#ask();
    }).then((archive) => (archive === undefined ? undefined : this.#unpack(archive)));
    return this.#asked;
  }

  /** The file that the controller has sent. */
  came(archive: string | undefined): void {
    this.#hasCome = true;
    this.#answer(archive);
  }

  /** A new session of the controller: what was asked for will not come. */
  again(): void {
    if (this.#hasCome) return;
    this.#answer(undefined);
    this.#asked = undefined;
  }

  async #unpack(archive: string): Promise<string> {
    mkdirSync(this.#folder, { recursive: true });
    await promisify(execFile)("tar", ["-xzf", archive, "-C", this.#folder]);
    return join(this.#folder, "bin/npm-cli.js");
  }
}
