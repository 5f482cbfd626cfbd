import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { AcceleratorInfo } from "../../task/instance-info.ts";

/** A driver that does not answer must not keep the node from its work. */
const ANSWER_MS = 5000;

/** What `nvidia-smi` knows of this machine; at once where there is none. */
export async function ownAccelerator(path = process.env["PATH"]): Promise<AcceleratorInfo | null> {
  const tool = path
    ?.split(delimiter)
    .map((dir) => join(dir, "nvidia-smi"))
    .find(isThere);
  if (tool === undefined) return null;
  const words = ["--query-gpu=name,memory.total", "--format=csv,noheader,nounits"];
  return new Promise((resolve) => {
    execFile(tool, words, { timeout: ANSWER_MS, killSignal: "SIGKILL" }, (error, stdout) =>
      resolve(error ? null : acceleratorOf(stdout)),
    );
  });
}

/** Lines such as `NVIDIA H100 80GB HBM3, 81559`: name and MiB of each. */
export function acceleratorOf(lines: string): AcceleratorInfo | null {
  const gpus = lines.split("\n").flatMap((line) => {
    const [name = "", mebibytes = ""] = line.split(",").map((field) => field.trim());
    return name === "" ? [] : [{ type: typeOf(name), memoryGb: Math.round(Number(mebibytes) / 1024) }];
  });
  const [first] = gpus;
  if (first === undefined) return null;
  const { type, memoryGb } = first;
  return { type, count: gpus.length, memoryGb: memoryGb > 0 ? memoryGb : null, isTrainium: false };
}

/** `A100` of `NVIDIA A100-SXM4-80GB`, `RTX 4090` of `NVIDIA GeForce RTX 4090`. */
function typeOf(name: string): string {
  const bare = name.replace(/^NVIDIA /, "").replace(/^(?:GeForce|Tesla|Quadro) /, "");
  if (/^(?:RTX|GTX|TITAN)\b/i.test(bare)) return bare.replace(/ (?:Generation|Laptop GPU|with Max-Q Design)$/, "");
  return bare.split(/[- ]/)[0]!;
}

function isThere(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
