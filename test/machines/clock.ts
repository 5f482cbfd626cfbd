import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { docker } from "../rig/docker.ts";
import { imageOf } from "../rig/images.ts";

const FILE = "/etc/faketimerc";
const LIBRARY = "libfaketimeMT.so.1";
const FOLDER = "/usr/lib/*-linux-gnu/faketime";

/** Where the clock's offset is read each time that somebody asks for the time. Time that passes is left alone. */
const environment = (library: string, file: string): Readonly<Record<string, string>> => ({
  LD_PRELOAD: library,
  FAKETIME_TIMESTAMP_FILE: file,
  FAKETIME_NO_CACHE: "1",
  FAKETIME_DONT_FAKE_MONOTONIC: "1",
});

/** Clocks that can be set: of the programs on machines of one image, and of a controller. */
export class Clocks implements AsyncDisposable {
  /** For `sky.container`. */
  readonly image: string;
  readonly #dir: string;

  private constructor(image: string, dir: string) {
    this.image = image;
    this.#dir = dir;
  }

  static async make(name: string): Promise<Clocks> {
    const clocks = new Clocks(
      `skyward-rig-clock:${process.pid}${name.replace("+", "_")}`,
      mkdtempSync(join(tmpdir(), "skyward-clock-")),
    );
    const dir = clocks.#dir;
    // Node is all that tells the time there; an sshd under the library could not log anybody in.
    const set = Object.entries(environment(`$(echo ${FOLDER}/${LIBRARY})`, FILE));
    const wrapper = `#!/bin/sh\nexport ${set.map(([name, value]) => `${name}="${value}"`).join(" ")}\nexec node.real "$@"\n`;
    writeFileSync(join(dir, "node"), wrapper);
    chmodSync(join(dir, "node"), 0o755);
    writeFileSync(join(dir, "faketimerc"), "+0\n");
    const bake = `mv /usr/local/bin/node /usr/local/bin/node.real; mkdir /found; cp ${FOLDER}/${LIBRARY} /found/`;
    const made = await docker("create", "--entrypoint", "/bin/sh", await imageOf("baked"), "-c", bake);
    try {
      await docker("start", "--attach", made);
      await docker("cp", `${made}:/found/${LIBRARY}`, dir);
      await docker("cp", join(dir, "node"), `${made}:/usr/local/bin/node`);
      await docker("cp", join(dir, "faketimerc"), `${made}:${FILE}`);
      await docker("commit", made, clocks.image);
    } finally {
      await docker("rm", "--force", made);
    }
    return clocks;
  }

  /** The environment of a controller with a clock of its own. */
  controller(name: string): Readonly<Record<string, string>> {
    const file = join(this.#dir, name);
    writeFileSync(file, "+0\n");
    return { IMAGE: this.image, ...environment(join(this.#dir, LIBRARY), file) };
  }

  /** @param offset as `faketime` has it: "+1d" */
  async set(machine: string, controller: string, offset: string): Promise<void> {
    writeFileSync(join(this.#dir, controller), `${offset}\n`);
    await docker("exec", machine, "sh", "-c", `echo ${offset} >${FILE}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await docker("rmi", this.image);
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
