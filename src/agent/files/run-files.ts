import { lstat, readdir, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join, resolve } from "node:path";
import { entriesOf } from "../../wire/files/entries.ts";
import { KeptFiles } from "./kept-files.ts";
import { syncFiles } from "./sync-files.ts";
import type { FilesRequest } from "../files-request.ts";
import { type Channel, channelOf, receiveFiles, sendFiles } from "../../wire/files/transfer.ts";
import { readLine } from "../supervisor/stdio.ts";
import { readStdin } from "./read-stdin.ts";

const REQUEST_MAX_BYTES = 64 * 1024;

/** Looks after files of this machine for the controller: one request, on stdin and stdout. */
export async function runFiles(): Promise<void> {
  const say = (value: object): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
  try {
    const line = readLine(0, REQUEST_MAX_BYTES);
    if (line === undefined) throw new Error("no request came");
    const request = JSON.parse(line) as FilesRequest;
    const path = resolve(homedir(), request.path.replace(/^~(?=\/|$)/, homedir()));
    switch (request.op) {
      case "ls":
        say({ entries: await list(path) });
        break;
      case "rm":
        await rm(path, { recursive: request.recursive });
        say({ ok: true });
        break;
      case "receive": {
        const into = request.name !== undefined && (request.path.endsWith("/") || (await isFolder(path)));
        // Who receives never reads and writes at once.
        const channel: Channel = { ...channelOf(readStdin(), process.stdout), blocking: true };
        await receiveFiles(channel, () => (into ? join(path, request.name) : path));
        break;
      }
      case "sync":
        await syncFiles(channelOf(process.stdin, process.stdout), path, new KeptFiles());
        break;
      case "send":
        await sendFiles(channelOf(process.stdin, process.stdout), path, await entriesOf(path, request.excludes));
        break;
    }
  } catch (error) {
    say({ error: (error as Error).message });
    process.exitCode = 1;
  }
  process.stdin.destroy();
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

async function list(path: string): Promise<object[]> {
  const info = await stat(path);
  if (!info.isDirectory()) return [await describe(path, basename(path))];
  const names = (await readdir(path)).sort();
  return Promise.all(names.map((name) => describe(join(path, name), name)));
}

async function describe(path: string, name: string): Promise<object> {
  const info = await lstat(path);
  const type = info.isDirectory() ? "folder" : info.isSymbolicLink() ? "link" : info.isFile() ? "file" : "other";
  return { name, type, size: info.size, mode: info.mode & 0o7777, modifiedAt: Math.round(info.mtimeMs) };
}
