import { writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as sky from "skyward";
import type { RigMachine } from "../rig/machine.ts";
import { Rig } from "../rig/rig.ts";

const who = sky.fn(async () => {
  const [{ hostname, userInfo }, { writeFileSync: write, statSync }] = await Promise.all([
    import("node:os"),
    import("node:fs"),
  ]);
  write("made", "by a task");
  const { mode } = statSync("made");
  return { host: hostname(), user: userInfo().username, mode: mode & 0o777 };
});

describe("the way to machines", () => {
  it("tells two machines of one private address apart by what they are reached through", async () => {
    await using rig = await Rig.start({ machines: 2 });
    const both = rig.machines.map((machine) => `${machine.address} ${machine.hostKey}\n127.0.0.1 ${machine.hostKey}\n`);
    writeFileSync(rig.knownHosts, both.join(""));
    const hosts = rig.machines.map(({ address }) => ({ host: "root@127.0.0.1", jump: `root@${address}` }));
    const provider = sky.ssh({ hosts, key: rig.key, knownHosts: rig.knownHosts, config: false });
    const places = await sky.compute({ provider, console: "silent" }, (pool) => pool.broadcast(who()));
    expect(new Set(places.map(({ host }) => host)).size).toBe(2);
  });

  it("is that of a user who is asked for a password by sudo", async () => {
    await using rig = await Rig.start({ machines: 1 });
    const [machine] = rig.machines as [RigMachine];
    const password = `it's "$HOME" ${process.pid}`;
    const script = `
useradd --create-home --shell /bin/bash asked && printf 'asked:%s\n' "$1" | chpasswd
cp -r /root/.ssh /home/asked/ && chown -R asked: /home/asked/.ssh
echo 'asked ALL=(ALL) ALL' >/etc/sudoers.d/asked
printf '#!/bin/sh\nid -un >>/root/apt; echo "$@" >>/root/apt; cat >>/root/apt\n' >/usr/local/sbin/apt-get && chmod 755 /usr/local/sbin/apt-get`;
    await machine.exec("sh", "-c", script, "sh", password);
    const told: unknown[] = [];
    const open = (given: object): Promise<void> =>
      sky.compute(
        {
          provider: sky.ssh({ ...rig.ssh, hosts: [`asked@${machine.address}`], ...given }),
          image: { apt: ["hello"] },
          console: "silent",
        },
        async (pool) => void (await pool.exec("true")),
      );
    await expect(open({})).rejects.toMatchObject({ hint: expect.stringContaining("without a password") as string });
    await expect(open({ password: "wrong" }).catch((error: unknown) => told.push(error))).resolves.toBe(1);
    await open({ password });
    const ran = (await machine.exec("cat", "/root/apt")).split("\n");
    expect(ran.filter((line) => !line.includes("hello") && !line.includes("update"))).toEqual(["root", "root"]);
    expect(JSON.stringify(told)).not.toContain("wrong");
  });

  it("leads through login shells that print, and tells what one says that lets nobody in", async () => {
    await using rig = await Rig.start({ machines: 1 });
    const [machine] = rig.machines as [RigMachine];
    const script = `
for one in noisy:/bin/bash plain:/bin/dash closed:/usr/sbin/nologin; do
  user=\${one%%:*}
  useradd --create-home --shell "\${one#*:}" --password '*' $user
  cp -r /root/.ssh /home/$user/ && chown -R $user: /home/$user/.ssh
done
printf 'echo WELCOME; echo careful >&2; printf no-line-end; umask 027\\n' >/home/noisy/.bashrc`;
    await machine.exec("sh", "-c", script);
    const open = (user: string): Promise<unknown> =>
      sky.compute(
        {
          provider: sky.ssh({ ...rig.ssh, hosts: [`${user}@${machine.address}`] }),
          image: { shellVars: { SYSTEM: "uname -s" }, steps: ["echo done"], includes: ["package.json"] },
          console: "silent",
        },
        async (pool) => {
          expect((await pool.exec("echo told"))[0]).toMatchObject({ stdout: "told\n" });
          return await pool.run(who());
        },
      );
    expect(await open("noisy")).toMatchObject({ user: "noisy", mode: 0o640 });
    expect(await open("plain")).toMatchObject({ user: "plain" });
    await expect(open("closed")).rejects.toThrow(/This account is currently not available/);
  });
});
