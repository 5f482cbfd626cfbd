import { spawn } from "node:child_process";

/**
 * Counts Ctrl-C in the program's terminal. Its standard input ends when the program hears one, or ends: then it is not
 * needed any more. After two that were not heard within a second it ends the program.
 */
const SCRIPT = `exec 3<&0 </dev/null
pressed=
trap 'pressed=x$pressed' INT
cat <&3 >/dev/null &
open=$!
exec 3<&-
while wait $open; [ $? -gt 128 ]; do
  [ "$pressed" != xx ] || { sleep 1 && kill -KILL $PPID & ending=$!; }
done
[ -z "$ending" ] || kill $ending
`;

/**
 * A program that is stuck in synchronous code hears no signal, since handlers need its event loop, and ours stand in for
 * the default. Where it runs in a terminal a small shell beside it gets Ctrl-C too, and sees to it that two of them end
 * it. Elsewhere there is nobody who presses keys.
 * @returns it is not needed any more
 */
export function watchCtrlC(): () => void {
  if (process.platform === "win32" || !(process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY))
    return () => undefined;
  const shell = spawn("/bin/sh", ["-c", SCRIPT], { stdio: ["pipe", "ignore", "ignore"] });
  // Without it everything works but this.
  shell.on("error", () => undefined);
  shell.stdin.on("error", () => undefined);
  shell.unref();
  (shell.stdin as unknown as { unref(): void }).unref();
  return () => shell.stdin.destroy();
}
