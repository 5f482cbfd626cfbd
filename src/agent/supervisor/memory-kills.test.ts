import { describe, expect, it } from "vitest";
import { memoryKills } from "./memory-kills.ts";

const machine = (files: Readonly<Record<string, string>>) => (file: string) => {
  const text = files[file];
  if (text === undefined) throw new Error(`no ${file}`);
  return text;
};
const [V2, V1] = ["/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"];

describe("memoryKills", () => {
  it.each<[string, Readonly<Record<string, string>>, number | undefined]>([
    ["of a group", { [V2]: "low 0\noom 3\noom_kill 2\noom_group_kill 0\n", "/proc/vmstat": "oom_kill 9\n" }, 2],
    ["of a group of the older kind", { [V1]: "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n" }, 1],
    [
      "of the whole machine, where its group does not count",
      { [V1]: "oom_kill_disable 0\n", "/proc/vmstat": "a 1\noom_kill 4\n" },
      4,
    ],
    ["of nobody where nothing is told", {}, undefined],
  ])("reads the count %s", (_, files, count) => {
    expect(memoryKills(machine(files))).toBe(count);
  });
});
