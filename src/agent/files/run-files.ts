import { lstat, readdir, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join, resolve } from "node:path";
import { entriesOf } from "../../wire/files/entries.ts";
import { KeptFiles } from "./kept-files.ts";
import { syncFiles } from "./sync-files.ts";
import type { FilesRequest } from "../files-request.ts";
import { type Channel, channelOf, receiveFiles, sendFiles } from "../../wire/files/transfer.ts";
import { readStdin } from "./read-stdin.ts";

/** Looks after files of this machine for the controller: one request, on stdin and stdout. */
export async function runFiles(): Promise<void> {
  const channel: Channel = { ...channelOf(readStdin(), process.stdout), blocking: true };
  const say = (value: object): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
  try {
    const request = JSON.parse(await channel.input.line()) as FilesRequest;
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
        await receiveFiles(channel, () => (into ? join(path, request.name) : path));
        break;
      }
      case "sync":
        await syncFiles(channel, path, new KeptFiles());
        break;
      case "send":
        await sendFiles(channel, path, await entriesOf(path, request.excludes));
        break;
    }
  } catch (error) {
    say({ error: (error as Error).message });
    process.exitCode = 1;
  }
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
