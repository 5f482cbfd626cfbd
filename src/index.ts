import * as surface from "./index.ts";
import { attachConsole } from "./console/attach.ts";
import { consoleMode } from "./console/mode.ts";
import { warm } from "./function/warm.ts";
import { setPublicSurface } from "./function/capture/surface.ts";
import { makeCompute, type Wiring } from "./pool/compute.ts";
import { makeSession } from "./pool/session.ts";
import { bootstrapScript } from "./image/script.ts";
import { ledger } from "./pool/ledger/ledger.ts";
import { created } from "./providers/created/created.ts";
import { local } from "./providers/local/local.ts";

setPublicSurface(() => surface);

const wiring: Wiring = {
  defaultProvider: () => local(),
  create: (cloud, { pool, image, ttlMs }) =>
    created(cloud, { pool, ttlMs, environment: `${bootstrapScript(image).hash} ${image.node}`, book: ledger }),
  attachConsole: (bus, mode) => attachConsole(bus, { mode: consoleMode(mode) }),
  warm,
};

/** Opens a pool: for the length of a callback, or for `await using`. */
export const compute = makeCompute(wiring);
/** Several pools, one lifetime. */
export const session = makeSession(wiring);

export { container } from "./providers/container/container.ts";
export { local } from "./providers/local/local.ts";
export { ssh } from "./providers/ssh/ssh.ts";
export { fn } from "./function/fn.ts";
export { gather } from "./function/group.ts";
export { module } from "./function/module.ts";

export { codec, register } from "./values/registry.ts";
export { SkyError } from "./errors/sky-error.ts";
export { RemoteError } from "./errors/remote-error.ts";
export { BroadcastError } from "./errors/broadcast-error.ts";
export { task } from "./task/context.ts";
export { instanceInfo, isHead } from "./task/instance-info.ts";
export { shard } from "./task/shard.ts";
export { once } from "./task/once.ts";
export * as metrics from "./image/metrics.ts";
export { redirectOutput } from "./task/redirect.ts";

export type { ErrorCode } from "./errors/codes.ts";
export type { ErrorDetails } from "./errors/sky-error.ts";
export type { BroadcastResult } from "./errors/broadcast-error.ts";
export type { SkyEvent } from "./events/event.ts";
export type { PoolView, NodeView, TasksView } from "./events/views.ts";
export type { Explanation } from "./function/explain/explanation.ts";
export type { Fn, GenericFn } from "./function/fn.ts";
export type { Group } from "./function/group.ts";
export type { CacheOptions, CacheRule } from "./function/cache-rule.ts";
export type { FnOptions, OutputRule } from "./function/options.ts";
export type { RetryDecision, RetryFailure, RetryRule } from "./function/retry-rule.ts";
export type { Pending } from "./function/pending.ts";
export type { OrRefs, Ref } from "./function/ref.ts";
export type { Stream } from "./function/stream.ts";
export type { Image, PipIndex } from "./image/image.ts";
export type { Batch, Settled } from "./pool/batch.ts";
export type { BroadcastOptions, CallOptions, Target } from "./pool/call-options.ts";
export type { Compute } from "./pool/compute.ts";
export type { ExecOptions, ExecOutput, ExecResult } from "./pool/access/exec.ts";
export type { FileEntry, Files, TransferOptions } from "./pool/access/files.ts";
export type { ShellOptions } from "./pool/access/shell.ts";
export type { Pool } from "./pool/pool.ts";
export type { Session } from "./pool/session.ts";
export type { NodesSpec, PoolOptions } from "./pool/spec.ts";
export type { WorkerOptions } from "./pool/worker.ts";
export type { Task, TaskAttempt, TaskStatus, TaskTiming } from "./pool/task.ts";
export type { Trace } from "./pool/trace/trace.ts";
export type {
  CloudProvider,
  Instance,
  Intent,
  Login,
  Offer,
  Order,
  ProviderReference,
  Tags,
} from "./providers/cloud-provider.ts";
export type { ContainerOptions } from "./providers/container/options.ts";
export type { Machine, Provider } from "./providers/provider.ts";
export type { SshHostOptions, SshProviderOptions } from "./providers/ssh/options.ts";
export type { TaskContext } from "./task/context.ts";
export type { InstanceInfo, PeerInfo } from "./task/instance-info.ts";
export type { ShardOptions } from "./task/shard.ts";
