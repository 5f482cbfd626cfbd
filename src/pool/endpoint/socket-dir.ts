import { lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { pidLives } from "../../agent/pid-lives.ts";

/** Where the pools of this user's running programs can be reached: a folder that nobody else may look into. */
export function socketDir(): string {
  const runtime = process.env["XDG_RUNTIME_DIR"];
  return runtime === undefined || runtime === ""
    ? join(tmpdir(), `skyward-${userInfo().uid}`)
    : join(runtime, "skyward");
}

/**
 * Makes the folder, and removes what killed programs have left in it.
 * @throws Error where somebody else made it, or others may write to it
 */
export function makeSocketDir(): void {
  const dir = socketDir();
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const { uid, mode } = lstatSync(dir);
  if (uid !== userInfo().uid || (mode & 0o077) !== 0) throw new Error(`${dir} is open to others`);
  for (const name of readdirSync(dir)) {
    const pid = Number(/-(\d+)-[0-9a-z]+\.sock$/.exec(name)?.[1]);
    if (pid > 0 && !pidLives(pid)) rmSync(join(dir, name), { force: true });
  }
}
