import { quote } from "../image/quote.ts";

/**
 * A command that runs a script which comes first on its stdin, and leaves what follows it there. So no script is ever
 * quoted for the login shell, and nothing of it shows in a list of processes. `dd` takes single bytes: a reader with a
 * buffer would swallow what follows.
 * @param mark a variable that the shell and all that it starts carry from their beginning, as `NAME=value`
 */
export function scriptCommand(script: string, mark?: string): string {
  const shell = mark === undefined ? "sh" : `env ${quote(mark)} sh`;
  return `exec ${shell} -c 'eval "$(dd bs=1 count=${Buffer.byteLength(script)} 2>/dev/null)"'`;
}

/**
 * Shell functions. `skyward_whole FILE SHA256 SIZE`: whether the file is the one meant; by its size alone on a machine
 * that can't hash.
 */
export const WHOLE = `
skyward_hash() {
  h=$(sha256sum < "$1" 2>/dev/null) || h=$(shasum -a 256 < "$1" 2>/dev/null) || h=$(openssl dgst -sha256 -r < "$1" 2>/dev/null) || h=
  printf %s "\${h%% *}"
}
skyward_whole() {
  [ -f "$1" ] && [ "$(wc -c < "$1")" -eq "$3" ] || return 1
  case "$(skyward_hash "$1")" in "$2" | "") return 0 ;; *) return 1 ;; esac
}`;

/** The shell's word for our cache on the machine; what is in it may be deleted at any time between runs. */
export const CACHE = `"\${XDG_CACHE_HOME:-$HOME/.cache}"/skyward`;
