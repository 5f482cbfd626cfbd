import type { CommandContext } from "@stricli/core";
import { getLines } from "../../client/request.ts";
import { findPool } from "../../client/running.ts";
import { sanitize } from "../../console/sanitize.ts";
import type { ExecFlags } from "./commands.ts";
import { telling } from "./fail.ts";

type Piece =
  | { readonly node: number; readonly stream: "stdout" | "stderr"; readonly text: string }
  | {
      readonly results: readonly {
        readonly node: number;
        readonly code: number | null;
        readonly signal: string | null;
      }[];
    };

export async function execCommand(this: CommandContext, flags: ExecFlags, ...words: string[]): Promise<void> {
  await telling("exec", async () => {
    const { socket, view } = await findPool(flags.pool);
    const stdin = flags.stdin ? await whole(process.stdin) : undefined;
    const body = {
      command: words.length === 1 ? words[0] : words,
      target: flags.node ?? "all",
      ...(stdin === undefined ? {} : { stdin: stdin.toString("base64") }),
    };
    const several = flags.node === undefined && view.counts.ready > 1;
    const begun = new Map<string, string>();
    for await (const piece of getLines<Piece>(socket, "POST", "/exec", body)) {
      if (flags.json) this.process.stdout.write(`${JSON.stringify(piece)}\n`);
      if ("results" in piece) {
        const codes = piece.results.map(({ code }) => code ?? 255);
        process.exitCode = Math.max(...codes);
        for (const { node, code, signal } of piece.results)
          if (code !== 0)
            process.stderr.write(
              `sky exec: node ${node}: ${signal ?? (code === null ? "out of reach" : `exit code ${code}`)}\n`,
            );
      } else if (!flags.json) {
        const text = process[piece.stream].isTTY ? sanitize(piece.text, { colors: true }) : piece.text;
        if (!several) process[piece.stream].write(text);
        else print(piece.stream, piece.node, text, begun);
      }
    }
  });
}

/** Whole lines with their node's number: pieces of several nodes come mixed. */
function print(stream: "stdout" | "stderr", node: number, text: string, begun: Map<string, string>): void {
  const key = `${stream} ${node}`;
  const lines = `${begun.get(key) ?? ""}${text}`.split("\n");
  begun.set(key, lines.pop()!);
  for (const line of lines) process[stream].write(`[${node}] ${line}\n`);
}

async function whole(from: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of from) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
