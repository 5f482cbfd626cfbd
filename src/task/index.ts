/**
 * The public surface as a function on a node sees it: `import * as sky from "skyward"` resolves to this there. Every
 * name of `src/index.ts` is here; one that makes no sense on a node throws when it is called.
 */
import { notOnNode } from "./not-on-node.ts";

export { BroadcastError } from "../errors/broadcast-error.ts";
export { RemoteError } from "../errors/remote-error.ts";
export { SkyError } from "../errors/sky-error.ts";
export { codec, register } from "../values/registry.ts";
export { task } from "./context.ts";
export { fn, gather, module } from "./inert-fn.ts";
export { instanceInfo, isHead } from "./instance-info.ts";
export { once } from "./once.ts";
export { redirectOutput } from "./redirect.ts";
export { shard } from "./shard.ts";

export const compute = notOnNode("compute", "SKY_ON_NODE");
export const session = notOnNode("session", "SKY_ON_NODE");
export const connect = notOnNode("connect", "SKY_ON_NODE");
export const local = notOnNode("local");
export const ssh = notOnNode("ssh");
export const metrics = Object.freeze(
  Object.fromEntries(
    [
      "CPU",
      "Memory",
      "MemoryUsed",
      "MemoryTotal",
      "Disk",
      "NetworkRx",
      "NetworkTx",
      "GPU",
      "GPUMemory",
      "GPUMemoryTotal",
      "GPUTemp",
      "Custom",
      "Default",
    ].map((name) => [name, notOnNode(`metrics.${name}`)]),
  ),
);
