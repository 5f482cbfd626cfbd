import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { didYouMean } from "../errors/nearest.ts";
import { SkyError } from "../errors/sky-error.ts";
import type { PoolView } from "../events/views.ts";
import { socketDir } from "../pool/endpoint/socket-dir.ts";
import { getJson } from "./request.ts";

/** A pool of a program that runs on this computer. */
export interface RunningPool {
  readonly name: string;
  readonly pid: number;
  /** What tells it from all others: its name, where several have that `name-pid`, and where that is not enough `name-pid-2`. */
  readonly id: string;
  /** Where it is reached. */
  readonly socket: string;
  /** What its program says of it; left out where that does not answer. */
  readonly answer?: { readonly program: string; readonly view: PoolView };
}

const ANSWER_MS = 2000;
const SOCKET = /^(.+)-(\d+)-([0-9a-z]+)\.sock$/;

/** The pools of this user's programs, by name and age; what a program that was killed has left is removed. */
export async function runningPools(): Promise<RunningPool[]> {
  const dir = socketDir();
  const names = await readdir(dir).catch(() => []);
  const found = await Promise.all(
    names.map(async (file) => {
      const [, name, pid, made] = SOCKET.exec(file) ?? [];
      if (name === undefined) return [];
      const socket = join(dir, file);
      const one = { name, pid: Number(pid), made: Number.parseInt(made!, 36), socket };
      try {
        const answer = await getJson<NonNullable<RunningPool["answer"]>>(socket, "/", AbortSignal.timeout(ANSWER_MS));
        return [{ ...one, answer }];
      } catch (error) {
        const { code, name: kind } = error as NodeJS.ErrnoException;
        if (code === "ECONNREFUSED") await rm(socket, { force: true });
        return kind === "TimeoutError" ? [one] : [];
      }
    }),
  );
  const pools = found.flat().sort((a, b) => a.name.localeCompare(b.name) || a.made - b.made);
  return pools.map(({ made: _, ...pool }) => {
    const named = pools.filter(({ name }) => name === pool.name);
    const own = named.filter(({ pid }) => pid === pool.pid);
    const number = own.findIndex(({ socket }) => socket === pool.socket) + 1;
    const withPid = `${pool.name}-${pool.pid}`;
    return { ...pool, id: named.length === 1 ? pool.name : number === 1 ? withPid : `${withPid}-${number}` };
  });
}

/** Whether a pool may be meant by this name; every pool without one. */
export function isCalled(
  { name, pid, id }: { readonly name: string; readonly pid: number; readonly id?: string },
  wanted: string | undefined,
): boolean {
  return wanted === undefined || [id, name, String(pid), `${name}-${pid}`].includes(wanted);
}

/**
 * The pools that may be meant: by their name, by "name-pid" or the pid; without a name all. One whose id it is goes
 * before those that it also fits.
 * @throws SkyError SKY_BAD_CALL naming those that there are, where none fits
 */
export async function findPools(name: string | undefined): Promise<readonly RunningPool[]> {
  const pools = await runningPools();
  const fits = pools.filter((pool) => isCalled(pool, name));
  const exact = fits.filter(({ id }) => id === name);
  if (fits.length > 0) return exact.length > 0 ? exact : fits;
  if (pools.length === 0)
    throw new SkyError("SKY_BAD_CALL", "no pool is open on this computer", {
      hint: "Pools of this user's running programs are found; a pool that is closed is gone.",
    });
  const names = pools.flatMap((pool) => [pool.name, pool.id]);
  throw new SkyError("SKY_BAD_CALL", `no pool "${name}" is open${didYouMean(name!, names)}`, {
    hint: `There are: ${pools.map(({ id }) => id).join(", ")}.`,
  });
}

/** The one pool that is meant, which answers. @throws SkyError SKY_BAD_CALL also where several may be meant */
export async function findPool(
  name: string | undefined,
): Promise<RunningPool & { readonly answer: NonNullable<RunningPool["answer"]> }> {
  const fits = await findPools(name);
  const [pool] = fits;
  if (fits.length > 1 || pool === undefined)
    throw new SkyError("SKY_BAD_CALL", `several pools are open: ${fits.map(({ id }) => id).join(", ")}`, {
      hint: "Name one of them.",
    });
  const { answer } = pool;
  if (answer === undefined)
    throw new SkyError(
      "SKY_BAD_CALL",
      `the pool ${pool.id} does not answer: its program (process ${pool.pid}) ${SILENT}`,
      {
        hint: "Try again when it has a pause. Its nodes go on with what they have meanwhile.",
      },
    );
  return { ...pool, answer };
}

/** Why a program that is there does not answer. */
export const SILENT = "is busy without a pause, or stopped";
