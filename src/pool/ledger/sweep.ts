import { appendFile, readFile, rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { CloudProvider, Instance, ProviderReference } from "../../providers/cloud-provider.ts";
import { controllerLives } from "./controller.ts";
import { openEntries } from "./entry.ts";
import { ledgerFile } from "./ledger.ts";
import { ownerId } from "./owner.ts";
import { type ControllerEntries, readLedger } from "./read-ledger.ts";
import { appearsWithinMs, settledEntries, type SweepFacts, sweepPlan, type Verdict, wantsLease } from "./sweep-plan.ts";

const LOOK_MS = 500;
/** A machine that is asked for its lease may take so long to answer. */
const LEASE_LIMIT_MS = 10_000;

export interface SweepOptions {
  readonly dir: string;
  /** Makes a provider from what the ledger says of it; undefined for one that is not known here. */
  readonly restore: (reference: ProviderReference) => CloudProvider | undefined;
  /** Providers to look at although the ledger does not name them. */
  readonly also?: readonly ProviderReference[];
  /** And those to look at if they are here at all. */
  readonly perhaps?: readonly ProviderReference[];
  /** Machines to remove whatever the ledger says. */
  readonly named?: readonly string[];
  /** Remove; else only say what would be removed. */
  readonly yes: boolean;
  readonly remove: (cloud: CloudProvider, id: string) => Promise<void>;
}

export interface Swept extends Verdict {
  readonly provider: string;
  readonly removed: boolean;
  readonly error?: string;
}

export interface SweepReport {
  readonly machines: readonly Swept[];
  /** Providers that could not be asked, and why. */
  readonly unasked: readonly { readonly provider: string; readonly error: string }[];
  /** Named machines that no provider has. */
  readonly unfound: readonly string[];
}

/** Finds machines that nobody needs any more, and removes them. Other owners' and those of a living controller stay. */
export async function sweep(options: SweepOptions): Promise<SweepReport> {
  const { dir, restore, also = [], perhaps = [], named = [], yes, remove } = options;
  const [owner, ledger] = await Promise.all([ownerId(dir), readLedger(dir)]);
  const machines: Swept[] = [];
  const unasked: { provider: string; error: string }[] = [];
  const meant = references(ledger, also);
  for (const [key, reference] of references(ledger, [...also, ...perhaps])) {
    try {
      const cloud = restore(reference);
      if (!cloud) throw new Error("it is not one of Skyward's own: give its module, as sky sweep --provider ./acme.js");
      const mine = entriesOf(ledger, reference);
      const listed = await listAll(cloud, owner, mine);
      const known = { owner, machines: listed, ledger, lives: controllerLives, named, now: Date.now() };
      const facts: SweepFacts = { ...known, leases: await leasesOf(wantsLease(known), cloud) };
      for (const verdict of sweepPlan(facts)) {
        // Two names of one engine have the same machines.
        if (machines.some(({ machine }) => machine.name === verdict.machine.name)) continue;
        machines.push(await carryOut(verdict, cloud, ledger, dir, yes, remove));
      }
      if (yes)
        for (const { controller, name } of settledEntries({ ...facts, ledger: mine }))
          await settle(dir, controller, name);
    } catch (error) {
      if (meant.has(key)) unasked.push({ provider: reference.name, error: (error as Error).message });
    }
  }
  const unfound = named.filter((name) => !machines.some(({ machine }) => machine.name === name));
  return { machines, unasked, unfound };
}

async function leasesOf(
  machines: readonly Instance[],
  cloud: CloudProvider,
): Promise<ReadonlyMap<string, number | undefined>> {
  const asked = machines.map(async ({ name, id }): Promise<[string, number | undefined]> => {
    const answer = cloud.leaseLeft?.(id, AbortSignal.timeout(LEASE_LIMIT_MS));
    return [name, await answer?.catch(() => undefined)];
  });
  return new Map(await Promise.all(asked));
}

/** What there is, as soon as what may be about to appear has had its time. */
async function listAll(
  cloud: CloudProvider,
  owner: string,
  ledger: readonly ControllerEntries[],
): Promise<readonly Instance[]> {
  const until = performance.now() + appearsWithinMs({ machines: [], ledger, lives: controllerLives, now: Date.now() });
  for (;;) {
    const machines = await cloud.list(owner, AbortSignal.timeout(60_000));
    const leftMs = Math.min(
      until - performance.now(),
      appearsWithinMs({ machines, ledger, lives: controllerLives, now: Date.now() }),
    );
    if (leftMs <= 0) return machines;
    await sleep(Math.min(leftMs, LOOK_MS));
  }
}

async function carryOut(
  verdict: Verdict,
  cloud: CloudProvider,
  ledger: readonly ControllerEntries[],
  dir: string,
  yes: boolean,
  remove: SweepOptions["remove"],
): Promise<Swept> {
  const { machine } = verdict;
  const swept = { ...verdict, provider: cloud.name, removed: false };
  if (!verdict.remove || !yes) return swept;
  try {
    await remove(cloud, machine.id);
    for (const { controller, entries } of ledger)
      if (entries.some(({ name }) => name === machine.name)) await settle(dir, controller, machine.name);
    return { ...swept, removed: true };
  } catch (error) {
    return { ...swept, error: (error as Error).message };
  }
}

/** Says in an ended controller's file that a machine is gone; the last one takes the file along. */
async function settle(dir: string, controller: string, name: string): Promise<void> {
  if (controllerLives(controller)) return;
  const file = ledgerFile(dir, controller);
  const text = await readFile(file, "utf8").catch(() => "");
  if (text === "") return;
  const left = openEntries(text).filter((entry) => entry.name !== name);
  if (left.length === 0) return rm(file, { force: true });
  // Behind a line that a crash cut short there may be no newline.
  await appendFile(file, `\n${JSON.stringify({ v: 1, type: "gone", at: Date.now(), name })}\n`);
}

/** Each provider once, by what it is made from. */
function references(
  ledger: readonly ControllerEntries[],
  also: readonly ProviderReference[],
): ReadonlyMap<string, ProviderReference> {
  const all = [...ledger.flatMap(({ entries }) => entries.map(({ provider }) => provider)), ...also];
  return new Map(all.map((one) => [JSON.stringify(one), one]));
}

function entriesOf(ledger: readonly ControllerEntries[], reference: ProviderReference): ControllerEntries[] {
  const key = JSON.stringify(reference);
  return ledger.map(({ controller, entries }) => ({
    controller,
    entries: entries.filter(({ provider }) => JSON.stringify(provider) === key),
  }));
}
