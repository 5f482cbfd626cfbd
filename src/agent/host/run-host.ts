import { forgetHugePages } from "../huge-pages.ts";
import type { Duplex } from "node:stream";
import { type HostChannel, openHostChannel } from "../host-channel.ts";
import { ownAccelerator } from "./accelerators.ts";
import { Host } from "./host.ts";
import { initialInfo } from "./initial-info.ts";
import { ownNetwork } from "./own-network.ts";

/** How often a node with a lease looks whether tasks run. */
const LOOK_MS = 250;

/** The program of a host process. */
export async function runHost(): Promise<void> {
  forgetHugePages();
  let host: Host | undefined;
  let epoch = 0;
  let data: Duplex | undefined;
  const channel = openHostChannel({
    config(config) {
      const network = ownNetwork();
      void ownAccelerator().then((accelerator) => {
        const made = (host = new Host(config, initialInfo(config, network, accelerator)));
        if (config.leaseFile !== undefined) tellWork(made, channel);
        // On the program's own computer nodes meet at its loopback.
        const address = config.parent === null ? network.address : undefined;
        channel.ready({ ...(address && { address }), accelerators: accelerator?.count ?? 0 });
      });
    },
    link(stream, linkEpoch, bulk) {
      epoch = Math.max(epoch, linkEpoch);
      if (linkEpoch < epoch) stream.destroy();
      else if (bulk) host?.linkBulk(stream);
      else {
        // An older one whose second line comes late would take the session from its successor.
        data?.destroy();
        data = stream;
        void host?.link(stream);
      }
    },
    fence(newEpoch) {
      epoch = Math.max(epoch, newEpoch);
      data?.destroy();
      host?.fence();
    },
    async end(why) {
      await host?.close(why);
    },
  });
}

/** A timer for the node, so that no task costs one. */
function tellWork(host: Host, channel: HostChannel): void {
  let told = false;
  setInterval(() => {
    if (host.busy === told) return;
    told = !told;
    channel.busy(told);
  }, LOOK_MS);
}
