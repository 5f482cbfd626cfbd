import { SkyError } from "../../errors/sky-error.ts";
import { quote } from "../../image/quote.ts";
import { bad } from "../checks.ts";
import type { ExecOptions } from "./exec.ts";

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The command as a script for `sh`. @throws SkyError SKY_BAD_CALL, SKY_BAD_OPTION */
export function commandScript(command: unknown, { cwd, env, stdin, onOutput }: ExecOptions): string {
  const inner =
    typeof command === "string"
      ? command
      : Array.isArray(command) && command.length > 0 && command.every((word) => typeof word === "string")
        ? `exec ${command.map(quote).join(" ")}`
        : undefined;
  if (inner === undefined || inner.trim() === "" || inner.includes("\0")) {
    throw new SkyError("SKY_BAD_CALL", "pool.exec takes a shell command, or a list of words", {
      hint: 'Write pool.exec("nvidia-smi"), or pool.exec(["ls", "-l", path]).',
    });
  }
  checkEnvironment(env);
  if (stdin !== undefined && typeof stdin !== "string" && !(stdin instanceof Uint8Array))
    throw bad("stdin", "a text or bytes", stdin);
  if (onOutput !== undefined && typeof onOutput !== "function") throw bad("onOutput", "a function", onOutput);
  return cwd === undefined ? `${inner}\n` : `cd ${folder(cwd)} || exit 1\n${inner}\n`;
}

/** The script behind the variables of its place; a shell has no others than those that it can name. */
export function withEnvironment(script: string, env: Readonly<Record<string, string>>): string {
  const exports = Object.entries(env).map(([name, value]) =>
    NAME.test(name) ? `export ${name}=${quote(value)}\n` : "",
  );
  return `${exports.join("")}${script}`;
}

function checkEnvironment(env: unknown): void {
  if (env === undefined) return;
  if (typeof env !== "object" || env === null || Array.isArray(env)) throw bad("env", "an object of texts", env);
  for (const [name, value] of Object.entries(env)) {
    if (!NAME.test(name)) throw bad("a name in env", "letters, digits and underscores", name);
    if (typeof value !== "string" || value.includes("\0")) throw bad(`env.${name}`, "a text", value);
  }
}

/** The shell's word for a folder; `~` is the home folder, as in a shell. */
function folder(cwd: unknown): string {
  if (typeof cwd !== "string" || cwd === "" || cwd.includes("\0")) throw bad("cwd", "a folder's path", cwd);
  if (cwd === "~" || cwd.startsWith("~/")) return `"$HOME"${quote(cwd.slice(1))}`;
  return quote(cwd.startsWith("/") ? cwd : `./${cwd}`);
}
