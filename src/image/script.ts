import { createHash } from "node:crypto";
import { aptPhase } from "./apt.ts";
import type { ResolvedImage } from "./image.ts";
import { MARK } from "./output.ts";
import type { Phase } from "./phase.ts";
import { pipPhase, pythonPhase } from "./python.ts";
import { PINNED_UVS, uvPlace } from "./uv.ts";
import { quote } from "./quote.ts";

export interface BootstrapScript {
  /** For `sh`. It reads one line from stdin: `bootstrapInput`. */
  readonly text: string;
  /** Of everything that the machine gets by it: two images with the same hash need the same machine. */
  readonly hash: string;
}

/**
 * One idempotent script: what an earlier run of the same text has done is not done again. Values reach it as quoted words,
 * secrets only by its input.
 */
export function bootstrapScript(image: ResolvedImage): BootstrapScript {
  const environment = [
    ...Object.entries(image.env).map(([name, value]) => `export ${name}=${quote(value)}`),
    ...Object.entries(image.shellVars).map(([name, command]) => `variable ${name} ${quote(command)}`),
  ];
  const phases = [aptPhase(image.apt), pythonPhase(image), pipPhase(image), stepsPhase(image.steps)].filter(
    (phase) => phase !== undefined,
  );
  const python = phases.filter(({ name }) => name === "python" || name === "pip");
  const venv = `venv-${hashOf([image.python ?? "", ...python.map(({ body }) => body), ...environment])}`;
  let before = hashOf(environment);
  const text = [
    head(venv),
    environment.length === 0 ? "" : `say phase environment\n${environment.join("\n")}\nsay done environment`,
    ...phases.map((phase) => {
      // What comes after something else may depend on it.
      before = hashOf([before, phase.name, phase.body]);
      const wants = phase.wantsUv === undefined ? "" : `${phase.name}_wants_uv() {\n${phase.wantsUv}\n}\n`;
      return `${wants}${phase.name}_phase() {${phase.body}\n}\nphase ${phase.name} ${before} ${placeOf(phase)}`;
    }),
    `[ ! -d "$venv" ] || { tell VIRTUAL_ENV "$venv"; tell PATH "$venv/bin:$PATH"; }\nsettle\nsay end\nexit 0\n`,
  ].join("\n");
  return { text, hash: before };
}

/**
 * The line that the script reads: what must be in no script.
 * @param token marks the script's own lines, so that nothing that a command prints is taken for one
 * @param password for sudo, where it asks; no command has it in its environment
 */
export function bootstrapInput(token: string, variables: Readonly<Record<string, string>>, password?: string): string {
  const exports = Object.entries(variables).map(([name, value]) => `export ${name}=${quote(value)}`);
  if (password !== undefined) exports.push(`sky_password=${quote(password)}`);
  return `${token} ${Buffer.from(exports.join("\n")).toString("base64")}\n`;
}

/** Whether the machine's shell has anything to do for this image. */
export function needsBootstrap({ apt, python, steps, shellVars }: ResolvedImage): boolean {
  return apt.length > 0 || python !== undefined || steps.length > 0 || Object.keys(shellVars).length > 0;
}

function stepsPhase(steps: readonly string[]): Phase | undefined {
  if (steps.length === 0) return undefined;
  return { name: "steps", body: `\n${steps.map((step) => `run sh -c ${quote(step)}`).join("\n")}` };
}

/** Where it is noted that a phase was done: with what it made, so that both are gone together. */
function placeOf({ name }: Phase): string {
  return name === "python" || name === "pip" ? '"$venv"' : '"$state"';
}

function hashOf(parts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:${part}`);
  return hash.digest("hex").slice(0, 16);
}

/**
 * The whole of it ends with its caller: when stdin ends, so does every command of its process group. What a command has
 * started for good neither holds the lock nor ends with the script.
 */
function head(venv: string): string {
  const uvCases = [...PINNED_UVS].map(([system, uv]) => `${system}) pinned=${uvPlace(uv)} ;;`).join("\n");
  return `exec 2>&1
umask 022
IFS=' ' read -r sky_token sky_exports || exit 1
exec 3<&0
{ read -r sky_never; trap '' TERM; kill -TERM -$$ 2>/dev/null || kill -TERM $$; sleep 3; kill -KILL -$$; } <&3 >/dev/null 2>&1 &
sky_watcher=$!
settle() { kill $sky_watcher 2>/dev/null; }
trap settle EXIT
exec </dev/null
cache="\${XDG_CACHE_HOME:-$HOME/.cache}"/skyward
state="$cache/bootstrap"
venv="$cache/${venv}"
mkdir -p "$state" || exit 1
chmod 700 "$cache" "$state"
say() { printf '\\n${MARK}:%s %s\\n' "$sky_token" "$*"; }
tell() { say variable "$1" "$(printf '%s' "$2" | base64 | tr -d '\\n')"; }
run() { say command "$(printf '%s' "$*" | base64 | tr -d '\\n')"; "$@"; }
variable() {
  say command "$(printf '%s' "$1=\\$($2)" | base64 | tr -d '\\n')"
  sky_value=$(sh -c "$2" </dev/null 3<&- 9>&-) || { sky_code=$?; settle; say failed environment $sky_code; exit $sky_code; }
  export "$1=$sky_value"
  tell "$1" "$sky_value"
}
phase() {
  if [ -e "$3/.$1-$2" ]; then say skipped "$1"; return 0; fi
  if [ -z "$uv" ] && command -v "$1_wants_uv" >/dev/null && "$1_wants_uv"; then settle; say need "$system"; exit 1; fi
  say phase "$1"
  ( set -e; "$1_phase" ) </dev/null 2>&1 3<&- 9>&-
  sky_code=$?
  [ $sky_code -eq 0 ] || { settle; say failed "$1" $sky_code; exit $sky_code; }
  : > "$3/.$1-$2"
  say done "$1"
}
if [ -n "$sky_exports" ]; then eval "$(printf %s "$sky_exports" | base64 -d)"; fi
unset sky_exports
if [ -n "\${SKYWARD_CA:-}" ]; then
  bundle="$cache/ca-$SKYWARD_CA/bundle.pem"
  for own in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem /dev/null; do
    [ -r "$own" ] && break
  done
  { cat "$own"; echo; cat "$cache/ca-$SKYWARD_CA/ca.pem"; } > "$bundle.$$" && mv -f "$bundle.$$" "$bundle"
  : "\${NODE_EXTRA_CA_CERTS:=$cache/ca-$SKYWARD_CA/ca.pem}" "\${SSL_CERT_FILE:=$bundle}" "\${PIP_CERT:=$bundle}" "\${REQUESTS_CA_BUNDLE:=$bundle}" "\${CURL_CA_BUNDLE:=$bundle}"
  export NODE_EXTRA_CA_CERTS SSL_CERT_FILE PIP_CERT REQUESTS_CA_BUNDLE CURL_CA_BUNDLE
fi
if [ "$(id -u)" -eq 0 ]; then root=; else root="sudo --preserve-env=DEBIAN_FRONTEND,http_proxy,https_proxy,no_proxy"; fi
sudo() {
  if [ -z "\${sky_password:-}" ] || command sudo -n true 2>/dev/null; then command sudo -n "$@"
  else printf '%s\n' "$sky_password" | command sudo -k -S -p '' "$@"; fi
}
system=$(uname -s)/$(uname -m)
case $system in
${uvCases}
*) pinned= ;;
esac
if uv=$(command -v uv); then :; elif [ -n "$pinned" ] && [ -x "$cache/$pinned" ]; then uv="$cache/$pinned"; else uv=; fi
if command -v flock >/dev/null 2>&1; then
  exec 9>"$state/lock"
  flock -n 9 || { say waiting; flock 9; }
fi`;
}
