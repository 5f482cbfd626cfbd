import { RUN_MARKER } from "../../agent/process-tree.ts";
import { quote } from "../../image/quote.ts";
import { WHOLE } from "../../ssh/shell.ts";
import { type CachedFile, cachePath } from "../../ssh/upload.ts";

/** Marks our lines among whatever a login shell prints. */
export const MARK = "@skyward";

export interface StartScript {
  readonly agent: CachedFile;
  /** Node binaries by the machine's "system/architecture", for a machine that has no Node of its own. */
  readonly nodes: ReadonlyMap<string, CachedFile>;
  readonly dir: string;
}

/**
 * One shell script, run in one session: checks what is on the machine, and starts the agent, or says what it needs.
 * The agent's configuration is the line behind the script. It prints `@skyward need SYSTEM/ARCH WHAT...`, or
 * `@skyward node PATH` and `@skyward agent PATH`, then what the agent says.
 */
export function startScript({ agent, nodes, dir }: StartScript): string {
  const cases = [...nodes].map(([system, file]) => {
    return `${system}) path=${cachePath(file)}; skyward_whole "$path" ${file.sha256} ${file.size} && node=$path ;;`;
  });
  return `${WHOLE}
skyward_modern() {
  v=\${1#v}; major=\${v%%.*}; rest=\${v#*.}; minor=\${rest%%.*}
  case "$major.$minor" in *[!0-9.]* | .* | *.) return 1 ;; esac
  [ "$major" -gt 20 ] || { [ "$major" -eq 20 ] && [ "$minor" -ge 19 ]; }
}
umask 077
unset NODE_OPTIONS
agent=${cachePath(agent)}
need=
skyward_whole "$agent" ${agent.sha256} ${agent.size} || need=agent
system=$(uname -s)/$(uname -m)
node=
if found=$(command -v node) && skyward_modern "$(node --version 2>/dev/null)"; then
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
$own "$node" "$agent" supervisor <<SKYWARD_CONFIG &
$config
SKYWARD_CONFIG
exit 0
`;
}
