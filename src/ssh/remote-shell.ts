import { createReadStream } from "node:fs";
import type { RemoteShell } from "../image/bootstrap.ts";
import type { SshConnection } from "./connection.ts";
import { remoteProcess } from "./remote-process.ts";
import { scriptCommand } from "./shell.ts";
import { upload } from "./upload.ts";

/** The shell of a machine that is reached by SSH. @param password of the account, for sudo */
export function remoteShell(connection: SshConnection, password?: string): RemoteShell {
  return {
    name: connection.name,
    password,
    start: async (script, input) => {
      const channel = await connection.exec(scriptCommand(script));
      channel.stderr.resume();
      const { exit } = remoteProcess(channel, connection);
      channel.write(script + input);
      return {
        output: channel,
        exit: exit.then(({ code }) => code),
        stop: () => channel.end(),
        leave: () => channel.close(),
      };
    },
    put: (program, path) => upload(connection, program, { open: () => createReadStream(path) }),
  };
}
