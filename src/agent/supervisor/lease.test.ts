import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Lease } from "./lease.ts";

let now: number;
let ended: string[];
const HOUR = 3600_000;

beforeEach(() => {
  vi.useFakeTimers();
  [now, ended] = [50_000, []];
});
afterEach(() => void vi.useRealTimers());

function lease(graceMs = 10_000, silenceMs = 60_000, file?: string): Lease {
  return new Lease({ graceMs, silenceMs, file, uptimeMs: () => now, over: (why) => ended.push(why) });
}

function pass(ms: number): void {
  for (let left = ms; left > 0; left -= 1000) {
    now += 1000;
    vi.advanceTimersByTime(1000);
  }
}

describe("Lease", () => {
  it("runs out without a link after the grace, with a silent one after the silence", () => {
    using never = lease();
    pass(8000);
    expect(ended).toEqual([]);
    never.held(true);
    pass(58_000);
    expect(ended).toEqual([]);
    pass(4000);
    expect(ended[0]).toMatch(/no word of its controller/);
  });

  it("is renewed by every word", () => {
    using spoken = lease();
    spoken.held(true);
    for (let i = 0; i < 20; i++) {
      spoken.renew();
      pass(30_000);
    }
    expect(ended).toEqual([]);
  });

  it("lets a task end, then waits the whole time for who comes to get what it gave", () => {
    using working = lease();
    working.busy(true);
    pass(HOUR);
    expect(ended).toEqual([]);
    working.busy(false);
    pass(8000);
    expect(ended).toEqual([]);
    pass(4000);
    expect(ended).not.toEqual([]);
  });

  it("does not wait for ever for a task", () => {
    using working = lease();
    working.busy(true);
    pass(4 * HOUR + 10_000);
    expect(ended).not.toEqual([]);
  });

  it("never ends by itself where the time is 0", () => {
    using kept = lease(0, 0);
    pass(HOUR);
    kept.held(true);
    pass(HOUR);
    expect(ended).toEqual([]);
  });

  it("waits for the next controller as long as the last one said, then counts as before", () => {
    using waiting = lease(10_000, 60_000);
    waiting.held(true);
    waiting.busy(true);
    waiting.keep(HOUR);
    // The last controller's link goes with it.
    waiting.held(false);
    pass(HOUR - 10_000);
    expect(ended).toEqual([]);
    waiting.held(true);
    pass(50_000);
    waiting.held(false);
    pass(8000);
    expect(ended).toEqual([]);
    pass(4000);
    expect(ended).not.toEqual([]);
  });

  it("ends with the time that it was kept for", () => {
    using alone = lease();
    alone.keep(20_000);
    pass(18_000);
    expect(ended).toEqual([]);
    pass(4000);
    expect(ended).not.toEqual([]);
  });

  it("does not care what the clock says: a day more or less changes nothing", () => {
    for (const stepMs of [24 * HOUR, -24 * HOUR]) {
      ended = [];
      using stepped = lease(10_000, 60_000);
      pass(5000);
      vi.setSystemTime(Date.now() + stepMs);
      pass(4000);
      expect(ended).toEqual([]);
      stepped.held(true);
      vi.setSystemTime(Date.now() + stepMs);
      pass(50_000);
      expect(ended).toEqual([]);
      pass(12_000);
      expect(ended).not.toEqual([]);
    }
    for (const file of ["lease.ts", "supervisor.ts", "lifeline.ts"]) {
      expect(readFileSync(join(import.meta.dirname, file), "utf8")).not.toMatch(/\bDate\b|timeOrigin/);
    }
  });

  it("lifts a machine's end that was set when it was kept, where there is none otherwise", () => {
    const dir = mkdtempSync(join(tmpdir(), "lease-"));
    const file = join(dir, "lease");
    try {
      using machine = lease(0, 0, file);
      expect(existsSync(file)).toBe(false);
      machine.keep(10_000);
      expect(Number(readFileSync(file, "utf8"))).toBe(61);
      machine.held(true);
      pass(6000);
      expect(existsSync(file)).toBe(false);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it("puts the machine's end off while there is hope, and brings it forward when there is none", () => {
    const dir = mkdtempSync(join(tmpdir(), "lease-"));
    const file = join(dir, "lease");
    const endS = (): number => Number(readFileSync(file, "utf8"));
    try {
      using machine = lease(10_000, 10_000, file);
      expect(endS()).toBe(61);
      pass(5000);
      expect(endS()).toBe(61);
      machine.busy(true);
      pass(20_000);
      expect(endS()).toBeGreaterThan(now / 1000);
      machine.end();
      expect(endS()).toBe(0);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
