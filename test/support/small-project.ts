import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const repository = join(import.meta.dirname, "../..");

export interface SmallProjectOptions {
  /** Packages of the repository that it has too. @default none */
  readonly packages?: readonly string[];
  /** What it has as `skyward`. @default this repository */
  readonly skyward?: string;
}

/** A user's project in a folder of its own, with `skyward` among its packages; removed when it is disposed. */
export class SmallProject implements Disposable {
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), "sky-project-")));

  /** `files`: texts by path; package.json and a lockfile are there unless they are given. */
  constructor(
    files: Readonly<Record<string, string>>,
    { packages = [], skyward = repository }: SmallProjectOptions = {},
  ) {
    this.write({ "package.json": '{"name":"program","type":"module"}', "package-lock.json": "{}", ...files });
    mkdirSync(join(this.root, "node_modules"), { recursive: true });
    symlinkSync(skyward, join(this.root, "node_modules/skyward"));
    for (const name of packages)
      symlinkSync(join(repository, "node_modules", name), join(this.root, "node_modules", name));
  }

  write(files: Readonly<Record<string, string>>): void {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.root, path)), { recursive: true });
      writeFileSync(join(this.root, path), text);
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
