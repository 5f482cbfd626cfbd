import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { docker } from "../rig/docker.ts";
import { imageOf } from "../rig/images.ts";

const FILE = "/etc/faketimerc";
const THERE = "/usr/local/lib/libfaketime.so";

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
  readonly #dir = mkdtempSync(join(tmpdir(), "skyward-clock-"));
  readonly #library = library();

  private constructor(image: string) {
    this.image = image;
  }

  static async make(name: string): Promise<Clocks> {
    const clocks = new Clocks(`skyward-rig-clock:${process.pid}-${name}`);
    const dir = clocks.#dir;
    // Node is all that tells the time there; an sshd under the library could not log anybody in.
    const set = Object.entries(environment(THERE, FILE)).map(([one, value]) => `${one}=${value}`);
    writeFileSync(join(dir, "node"), `#!/bin/sh\nexport ${set.join(" ")}\nexec node.real "$@"\n`);
    chmodSync(join(dir, "node"), 0o755);
    writeFileSync(join(dir, "faketimerc"), "+0\n");
    const move = "mv /usr/local/bin/node /usr/local/bin/node.real";
    const made = await docker("create", "--entrypoint", "/bin/sh", await imageOf("baked"), "-c", move);
    try {
      await docker("start", "--attach", made);
      await docker("cp", join(dir, "node"), `${made}:/usr/local/bin/node`);
      await docker("cp", "--follow-link", clocks.#library, `${made}:${THERE}`);
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
    return { IMAGE: this.image, ...environment(this.#library, file) };
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

/** Of the Debian package libfaketime, for programs with threads. */
function library(): string {
  const paths = readdirSync("/usr/lib").map((folder) => `/usr/lib/${folder}/faketime/libfaketimeMT.so.1`);
  const found = paths.find((path) => existsSync(path));
  if (found === undefined) throw new Error("there is no libfaketime here: bash scripts/needs.sh");
  return found;
}
