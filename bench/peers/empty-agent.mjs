// The shape of an agent with nothing in it: a process that forks a host, which starts a thread; ready when that answers.
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker } from "node:worker_threads";

if (!isMainThread) {
  parentPort.postMessage("ready");
} else if (process.argv[2] === "host") {
  new Worker(new URL(import.meta.url)).once("message", () => process.send("ready"));
  process.once("disconnect", () => process.exit(0));
} else {
  fork(fileURLToPath(import.meta.url), ["host"]).once("message", () => console.log("ready"));
  process.stdin.once("end", () => process.exit(0)).resume();
}
