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
  /** The program's file. */
  readonly program: string;
  readonly view: PoolView;
  /** Where it is reached. */
  readonly socket: string;
}

/** The pools of this user's programs, by name; what a program that was killed has left is removed. */
export async function runningPools(): Promise<RunningPool[]> {
  const dir = socketDir();
  const names = await readdir(dir).catch(() => []);
  const found = await Promise.all(
    names
      .filter((name) => name.endsWith(".sock"))
      .map(async (name) => {
        const socket = join(dir, name);
        try {
          return [{ ...(await getJson<Omit<RunningPool, "socket">>(socket, "/")), socket }];
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code === "ECONNREFUSED") await rm(socket, { force: true });
          return [];
        }
      }),
  );
  return found.flat().sort((a, b) => a.name.localeCompare(b.name) || a.view.startedAt - b.view.startedAt);
}

/** Whether a pool may be meant by this name; every pool without one. */
export function isCalled({ name, pid }: { readonly name: string; readonly pid: number }, called?: string): boolean {
  return called === undefined || called === name || called === String(pid) || called === `${name}-${pid}`;
}

/**
 * The pool that is meant: by its name, by "name-pid" or the pid where several have that name; without a name the only one.
 * @throws SkyError SKY_BAD_CALL naming those that there are
 */
export async function findPool(name: string | undefined): Promise<RunningPool> {
  const pools = await runningPools();
  const fits = pools.filter((pool) => isCalled(pool, name));
  if (fits.length === 1) return fits[0]!;
  const there = pools.map((pool) => `${pool.name}-${pool.pid}`).join(", ");
  if (pools.length === 0)
    throw new SkyError("SKY_BAD_CALL", "no pool is open on this computer", {
      hint: "Pools of this user's running programs are found; a pool that is closed is gone.",
    });
  if (fits.length > 1)
    throw new SkyError("SKY_BAD_CALL", `several pools are open: ${there}`, { hint: "Name one of them." });
  throw new SkyError(
    "SKY_BAD_CALL",
    `no pool "${name}" is open${didYouMean(
      name!,
      pools.map((pool) => pool.name),
    )}`,
    {
      hint: `There are: ${there}.`,
    },
  );
}
