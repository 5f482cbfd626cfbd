import type { ResolvedImage } from "./image.ts";
import type { Phase } from "./phase.ts";
import { quote } from "./quote.ts";
import { requirementsFile } from "./requirements.ts";

/** Older ones get no wheels any more. */
const OLDEST_MINOR = 9;

/** The interpreter, in an environment of its own: `$venv`. */
export function pythonPhase({ python }: ResolvedImage): Phase | undefined {
  if (python === undefined) return undefined;
  const wanted =
    python === "auto" ? `sys.version_info >= (3, ${OLDEST_MINOR})` : `sys.version.startswith(${versionTest(python)})`;
  const names = `${python === "auto" ? "" : quote(`python${minorOf(python)}`)} python3 python`;
  const find = `
found=
for one in ${names}; do
  path=$(command -v "$one") || continue
  "$path" -c ${quote(`import sys; sys.exit(0 if ${wanted} else 1)`)} 2>/dev/null && { found=$path; break; }
done`;
  return {
    name: "python",
    // Some systems leave out what makes environments.
    wantsUv: `${find}
[ -z "$found" ] || ! "$found" -c 'import ensurepip, venv' 2>/dev/null`,
    body: `${find}
rm -rf "$venv"
if [ -n "$uv" ]; then
  run "$uv" venv --quiet --python "\${found:-${python === "auto" ? "3.12" : python}}" "$venv"
elif [ -n "$found" ]; then
  run "$found" -m venv "$venv"
else
  echo "there is no Python ${python === "auto" ? `3.${OLDEST_MINOR} or newer` : python} here, and no uv to fetch it" >&2
  return 127
fi`,
  };
}

/** The packages, where the interpreter's environment is. */
export function pipPhase(image: ResolvedImage): Phase | undefined {
  if (image.pip.length === 0) return undefined;
  const file = requirementsFile(image);
  const encoded = Buffer.from(file.text).toString("base64");
  return {
    name: "pip",
    ...(image.pipIndexes.length > 0 ? { wantsUv: "true" } : {}),
    body: `
${file.variables.map(checkVariable).join("\n")}
printf %s ${encoded} | base64 -d | awk '
  {
    while (match($0, /@@[A-Za-z_][A-Za-z0-9_]*@@/)) {
      name = substr($0, RSTART + 2, RLENGTH - 4)
      $0 = substr($0, 1, RSTART - 1) ENVIRON[name] substr($0, RSTART + RLENGTH)
    }
    print
  }' > "$venv/pyproject.toml"
if [ -n "$uv" ]; then
  [ -z "\${PIP_INDEX_URL:-}" ] || export UV_DEFAULT_INDEX="\${UV_DEFAULT_INDEX:-$PIP_INDEX_URL}"
  (cd "$venv" && run "$uv" pip install --python "$venv/bin/python" -r pyproject.toml${file.direct.map((one) => ` ${inOneWord(one)}`).join("")})
else
  ${image.pipIndexes.length > 0 ? `echo "packages from an index of their own need uv" >&2; return 127` : fallback(image)}
fi`,
  };
}

function fallback({ pip }: ResolvedImage): string {
  return `run "$venv/bin/python" -m pip install --disable-pip-version-check ${pip.map(inOneWord).join(" ")}`;
}

/** A requirement as one word, with the values of its variables. */
function inOneWord(requirement: string): string {
  return requirement
    .split(/(\$\{[A-Za-z_][A-Za-z0-9_]*\})/)
    .map(word)
    .join("");
}

function word(part: string, index: number): string {
  return index % 2 === 1 ? `"${part}"` : part === "" ? "" : quote(part);
}

/** What stands in a requirement must not be able to end the text it stands in. */
function checkVariable(name: string): string {
  return `case "$${name}" in *[!A-Za-z0-9._+!-]*) echo "${name} is not a version: $${name}" >&2; return 2 ;; esac`;
}

function minorOf(python: string): string {
  return python.split(".").slice(0, 2).join(".");
}

/** "3.1" is not the beginning of "3.12". */
function versionTest(python: string): string {
  return python.split(".").length === 2 ? `("${python}.",)` : `("${python} ", "${python}+")`;
}
