import { randomBytes } from "node:crypto";
import { statSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { MAX_SOCKET_PATH, socketPath } from "../../agent/config.ts";

/** A new run directory's path, short enough for a unix socket in it. The agent makes the directory. */
export function newRunPath(): string {
  const name = `sky-${userInfo().uid}-${randomBytes(8).toString("hex")}`;
  const places = [process.env["XDG_RUNTIME_DIR"], tmpdir(), "/tmp"].filter(
    (place) => place !== undefined && isUsable(place),
  );
  const paths = places.map((place) => `${place}/${name}`);
  return paths.find((path) => Buffer.byteLength(socketPath(path)) <= MAX_SOCKET_PATH) ?? `/tmp/${name}`;
}

function isUsable(place: string): boolean {
  const stat = place.startsWith("/") ? statSync(place, { throwIfNoEntry: false }) : undefined;
  // Others may make files in a sticky directory, but not take ours away.
  const safe = stat !== undefined && (stat.uid === process.getuid?.() || (stat.mode & 0o1000) !== 0);
  return safe && stat.isDirectory();
}
