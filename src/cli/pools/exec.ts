import { constants } from "node:os";
import { StringDecoder } from "node:string_decoder";
import type { CommandContext } from "@stricli/core";
import { getLines } from "../../client/request.ts";
import { findPool } from "../../client/running.ts";
import { sanitize } from "../../console/sanitize.ts";
import type { ExecPiece } from "../../pool/endpoint/endpoint.ts";
import type { ExecFlags } from "./commands.ts";
import { telling } from "./fail.ts";

interface End {
  readonly node: number;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export async function execCommand(this: CommandContext, flags: ExecFlags, ...words: string[]): Promise<void> {
  await telling("exec", async () => {
    const { socket, answer } = await findPool(flags.pool);
    const stdin = flags.stdin ? await whole(process.stdin) : undefined;
    const body = {
      command: words.length === 1 ? words[0] : words,
      target: flags.node ?? "all",
      ...(stdin === undefined ? {} : { stdin: stdin.toString("base64") }),
    };
    const printer = new Printer(flags.node === undefined && answer.view.counts.ready > 1, flags.json);
    for await (const piece of getLines<ExecPiece | { readonly results: readonly End[] }>(
      socket,
      "POST",
      "/exec",
      body,
    )) {
      if ("data" in piece) {
        printer.print(piece);
        continue;
      }
      printer.end();
      if (flags.json) this.process.stdout.write(`${JSON.stringify(piece)}\n`);
      process.exitCode = Math.max(...piece.results.map(codeOf));
      for (const { node, code, signal } of piece.results)
        if (code !== 0)
          process.stderr.write(
            `sky exec: node ${node}: ${signal ?? (code === null ? "out of reach" : `exit code ${code}`)}\n`,
          );
    }
  });
}

/** As a shell tells them. */
function codeOf({ code, signal }: End): number {
  return code ?? (signal === null ? 255 : 128 + constants.signals[signal]);
}

/** One node's output as it is; of several nodes whole lines with their number: their pieces come mixed. */
class Printer {
  readonly #several: boolean;
  readonly #json: boolean;
  readonly #decoders = new Map<string, StringDecoder>();
  readonly #begun = new Map<string, { readonly stream: "stdout" | "stderr"; readonly node: number; text: string }>();

  constructor(several: boolean, json: boolean) {
    this.#several = several;
    this.#json = json;
  }

  print({ node, stream, data }: ExecPiece): void {
    const bytes = Buffer.from(data, "base64");
    if (!this.#several && !this.#json && !process[stream].isTTY) return void process[stream].write(bytes);
    const key = `${stream} ${node}`;
    const decoder = this.#decoders.get(key) ?? new StringDecoder();
    this.#decoders.set(key, decoder);
    const text = decoder.write(bytes);
    if (text === "") return;
    if (this.#json) process.stdout.write(`${JSON.stringify({ node, stream, text })}\n`);
    else if (!this.#several) process[stream].write(sanitize(text, { colors: true }));
    else {
      const begun = this.#begun.get(key) ?? { stream, node, text: "" };
      this.#begun.set(key, begun);
      const lines = `${begun.text}${text}`.split("\n");
      begun.text = lines.pop()!;
      for (const line of lines) this.#line(stream, node, line);
    }
  }

  /** Lines that have no end. */
  end(): void {
    for (const { stream, node, text } of this.#begun.values()) if (text !== "") this.#line(stream, node, text);
    this.#begun.clear();
  }

  #line(stream: "stdout" | "stderr", node: number, line: string): void {
    const text = process[stream].isTTY ? sanitize(line, { colors: true }) : line;
    process[stream].write(`[${node}] ${text}\n`);
  }
}

async function whole(from: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of from) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
