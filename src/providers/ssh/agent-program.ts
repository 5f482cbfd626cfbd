import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { agentFile } from "../../agent/locate.ts";
import type { CachedFile, UploadSource } from "../../ssh/upload.ts";

export interface AgentProgram {
  readonly file: CachedFile;
  readonly source: UploadSource;
}

/** The agent as it is here, by its content. @param path @default the bundled agent */
export async function readAgent(path: string = agentFile()): Promise<AgentProgram> {
  const bytes = await readFile(path);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  // The ending tells Node what it is, wherever it lies.
  const file: CachedFile = { kind: "agent", file: "agent.mjs", sha256, size: bytes.length, executable: false };
  return { file, source: { open: () => Readable.from([bytes], { objectMode: false }) } };
}
