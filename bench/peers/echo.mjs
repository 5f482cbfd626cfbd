// The raw peer: what comes in on a socket or on standard input goes to a worker thread and back, with no meaning at all.
// usage: echo.mjs unix PATH | echo.mjs stdio
import { createServer } from "node:net";
import { isMainThread, parentPort, Worker } from "node:worker_threads";

if (isMainThread) {
  const thread = new Worker(new URL(import.meta.url));
  const serve = (input, output) => {
    input.on("data", (chunk) => thread.postMessage(chunk));
    thread.on("message", (chunk) => output.write(chunk));
    input.once("close", () => process.exit(0));
  };
  if (process.argv[2] === "unix") {
    createServer((socket) => serve(socket, socket)).listen(process.argv[3], () => console.log("ready"));
  } else {
    serve(process.stdin, process.stdout);
  }
} else {
  parentPort.on("message", (chunk) => parentPort.postMessage(chunk));
}
