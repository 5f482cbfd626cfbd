import { randomBytes } from "node:crypto";
import { link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Who owns the machines that are created from here: one id per user and computer, made at first use. */
export async function ownerId(dir: string): Promise<string> {
  const file = join(dir, "owner");
  const known = await read(file);
  if (isId(known)) return known;
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const id = randomBytes(8).toString("hex");
  const own = `${file}.${id}`;
  await writeFile(own, `${id}\n`, { mode: 0o600, flush: true });
  try {
    // Whole or not at all, and the first of several programs wins.
    if (known === "") await link(own, file).catch(() => undefined);
    else await rename(own, file);
  } finally {
    await rm(own, { force: true });
  }
  const settled = await read(file);
  if (isId(settled)) return settled;
  throw new Error(`${file} can't be written`);
}

const isId = (text: string): boolean => /^[0-9a-f]{16}$/.test(text);
const read = (file: string): Promise<string> =>
  readFile(file, "utf8").then(
    (text) => text.trim() || " ",
    () => "",
  );
