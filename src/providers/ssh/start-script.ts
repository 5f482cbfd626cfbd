import { basename } from "node:path";
import { RUN_MARKER } from "../../agent/process-tree.ts";
import { quote } from "../../image/quote.ts";
import { WHOLE } from "../../ssh/shell.ts";
import type { NodeChoice } from "../../image/node-choice.ts";
import { type CachedFile, cachePath } from "../../ssh/upload.ts";

/** Marks our lines among whatever a login shell prints. */
export const MARK = "@skyward";

type Release = NonNullable<ReturnType<NodeChoice["releases"]["get"]>>;

export interface StartScript {
  readonly agent: CachedFile;
  readonly node: NodeChoice;
  /** Authorities that the agent and its tasks are to trust as well. */
  readonly ca?: CachedFile | undefined;
  readonly dir: string;
}

/**
 * One shell script, run in one session: checks what is on the machine, and starts the agent, or says what it needs.
 * The agent's configuration is the line behind the script. It prints `@skyward need SYSTEM/ARCH WHAT...`, or
 * `@skyward node PATH` and `@skyward agent PATH`, then what the agent says.
 */
export function startScript({ agent, node, ca, dir }: StartScript): string {
  const cases = [...node.releases].map(([system, release]) => `${system}) ${takeRelease(release)} ;;`);
  const fits =
    node.version === undefined ? "" : ` && case "$(node --version)." in v${node.version}.*) true ;; *) false ;; esac`;
  return `${WHOLE}
skyward_modern() {
  v=\${1#v}; major=\${v%%.*}; rest=\${v#*.}; minor=\${rest%%.*}
  case "$major.$minor" in *[!0-9.]* | .* | *.) return 1 ;; esac
  [ "$major" -gt 20 ] || { [ "$major" -eq 20 ] && [ "$minor" -ge 19 ]; }
}
skyward_fetch() {
  if command -v curl >/dev/null 2>&1; then curl -fsSL --connect-timeout 5 --max-time 180 -o "$2" "$1"; else wget -q -T 10 -O "$2" "$1"; fi
}
skyward_mirrored() {
  [ "$("$1" --version 2>/dev/null)" = "$2" ] && return 0
  work="\${1%/*}.$$.${basename(dir)}"
  mkdir -p "$work" && skyward_fetch "$3" "$work/archive" 2>/dev/null && [ "$(skyward_hash "$work/archive")" = "$4" ] &&
    tar -xzf "$work/archive" -C "$work" "$5/bin/node" && mkdir -p "\${1%/*}" && mv -f "$work/$5/bin/node" "$1"
  fetched=$?
  rm -rf "$work"
  return $fetched
}
mask=$(umask)
umask 077
unset NODE_OPTIONS
agent=${cachePath(agent)}
need=
${ca === undefined ? "" : `ca=${cachePath(ca)}; skyward_whole "$ca" ${ca.sha256} ${ca.size} || need=ca; export NODE_EXTRA_CA_CERTS="\${NODE_EXTRA_CA_CERTS:-$ca}"`}
skyward_whole "$agent" ${agent.sha256} ${agent.size} || need="$need agent"
system=$(uname -s)/$(uname -m)
node=
if found=$(command -v node) && skyward_modern "$(node --version 2>/dev/null)"${fits}; then
  node=$found
else
  case "$system" in
    ${cases.join("\n    ")}
    *) : ;;
  esac
fi
[ -n "$node" ] || need="$need node"
if [ -n "$need" ]; then
  echo "${MARK} need $system $need"
  exit 0
fi
echo "${MARK} node $node"
echo "${MARK} agent $agent"
IFS= read -r config || exit 1
${RUN_MARKER}=${quote(dir)}
export ${RUN_MARKER}
if command -v setsid >/dev/null 2>&1; then own=setsid; else own=nohup; fi
umask "$mask"
# By a pipe: some shells put a here-document on the disk, and there are secrets in it.
printf '%s\\n' "$config" | $own "$node" "$agent" supervisor &
exit 0
`;
}

/** Sets `node` where a release is there; one of a mirror the machine may fetch by itself. */
function takeRelease(release: Release): string {
  if ("package" in release)
    return `path=${cachePath(release)}; skyward_whole "$path" ${release.sha256} ${release.size} && node=$path`;
  const { url, archiveSha256, top, version } = release;
  const words = [`v${version}`, url, archiveSha256, top].map(quote).join(" ");
  return `path=${cachePath({ ...release, sha256: archiveSha256 })}; skyward_mirrored "$path" ${words} && node=$path`;
}
