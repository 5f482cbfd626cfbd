import type { Phase } from "./phase.ts";
import { quote } from "./quote.ts";

/** Another installer may hold dpkg's lock for a while, as a cloud's first boot does. */
const LOCK_WAIT_S = 120;

/** The packages of the system. Those that are there already cost no update of the lists. */
export function aptPhase(packages: readonly string[]): Phase | undefined {
  if (packages.length === 0) return undefined;
  const options = `-q -o DPkg::Lock::Timeout=${LOCK_WAIT_S} -o Acquire::Retries=3`;
  return {
    name: "system",
    body: `
set -- ${packages.map(quote).join(" ")}
missing=
for one; do
  case $one in
    *=*) dpkg-query -W -f='\${Version}' "\${one%%=*}" 2>/dev/null | grep -qxF -- "\${one#*=}" || missing=yes ;;
    *) dpkg-query -W -f='\${Status}' "$one" 2>/dev/null | grep -q 'ok installed' || missing=yes ;;
  esac
done
[ -n "$missing" ] || return 0
command -v apt-get >/dev/null 2>&1 || { echo "this system has no apt-get" >&2; return 127; }
export DEBIAN_FRONTEND=noninteractive
run $root apt-get ${options} update
run $root apt-get ${options} -y --no-install-recommends install "$@"`,
  };
}
