let loaded: Promise<typeof import("ssh2")> | undefined;

/** Loads the SSH library with its first use: 40 ms that a program without SSH does not pay. */
export function loadSsh2(): Promise<typeof import("ssh2")> {
  loaded ??= import("ssh2").then((module) => module.default);
  return loaded;
}
