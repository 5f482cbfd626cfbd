import { openHostChannel } from "../host-channel.ts";
import { Host } from "./host.ts";

/** The program of a host process. */
export async function runHost(): Promise<void> {
  let host: Host | undefined;
  let epoch = 0;
  const channel = openHostChannel({
    config(config) {
      host = new Host(config);
      channel.ready();
      setImmediate(() => host?.open());
    },
    link(stream, linkEpoch, bulk) {
      epoch = Math.max(epoch, linkEpoch);
      if (linkEpoch < epoch) stream.destroy();
      else if (bulk) host?.linkBulk(stream);
      else void host?.link(stream);
    },
    fence(newEpoch) {
      epoch = Math.max(epoch, newEpoch);
      host?.fence();
    },
    async end() {
      await host?.close();
    },
  });
}
