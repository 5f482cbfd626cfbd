import { createReadStream } from "node:fs";
import type { RemoteShell } from "../image/bootstrap.ts";
import type { SshConnection } from "./connection.ts";
import { scriptCommand } from "./shell.ts";
import { upload } from "./upload.ts";

/** The shell of a machine that is reached by SSH. */
export function remoteShell(connection: SshConnection): RemoteShell {
  return {
    name: connection.name,
    start: async (script, input) => {
      const channel = await connection.exec(scriptCommand(script));
      channel.stderr.resume();
      const exit = new Promise<number | null>((resolve) => {
        let code: number | null = null;
        channel.once("exit", (value: number | null) => (code = value)).once("close", () => resolve(code));
        void connection.closed.then(() => resolve(null));
      });
      channel.write(script + input);
      return { output: channel, exit, stop: () => channel.end() };
    },
    put: (program, path) => upload(connection, program, { open: () => createReadStream(path) }),
  };
}
