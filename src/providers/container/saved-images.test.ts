import { describe, expect, it } from "vitest";
import { type SavedImage, tooMany } from "./saved-images.ts";

const HOUR = 3600_000;
const NOW = 100 * 24 * HOUR;
const used = (...hoursAgo: number[]): SavedImage[] =>
  hoursAgo.map((hours) => ({ name: `skyward:${hours}`, usedAt: NOW - hours * HOUR }));
const names = (images: readonly SavedImage[]): string[] => images.map(({ name }) => name);

describe("tooMany", () => {
  it("names what nobody has used for two weeks", () => {
    expect(names(tooMany(used(1, 14 * 24 - 1, 14 * 24 + 1), NOW))).toEqual([`skyward:${14 * 24 + 1}`]);
  });

  it("names the longest unused of more than ten, but none of this hour", () => {
    const twelve = used(12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1.5);
    expect(names(tooMany(twelve, NOW))).toEqual(["skyward:11", "skyward:12"]);
    expect(tooMany(used(...Array.from({ length: 30 }, (_, at) => at / 60)), NOW)).toEqual([]);
  });
});
