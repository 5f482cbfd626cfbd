import type * as sky from "skyward";

export type Machine = Awaited<ReturnType<sky.Provider["provision"]>>;

/** A provider whose machines are those of `inner` but for what `over` gives in place of it. */
export function wrapMachines(inner: sky.Provider, over: (machine: Machine) => Partial<Machine>): sky.Provider {
  return {
    ...inner,
    provision: async (request, signal) => {
      const machine = await inner.provision(request, signal);
      return {
        name: machine.name,
        host: machine.host,
        address: machine.address,
        ...(machine.shell ? { shell: (shellSignal) => machine.shell!(shellSignal) } : {}),
        spawn: (command, spawnSignal) => machine.spawn(command, spawnSignal),
        start: (config, startSignal, node) => machine.start(config, startSignal, node),
        connect: (kind, key, connectSignal) => machine.connect(kind, key, connectSignal),
        release: () => machine.release(),
        ...over(machine),
      };
    },
  };
}
