/**
 * The one bundled program of a node. Each role's modules are evaluated only in that role: the bundler turns these
 * imports into calls inside the same file.
 */
const [role, ...args] = process.argv.slice(2);
switch (role) {
  case "supervisor":
    await (await import("./supervisor/supervisor.ts")).runSupervisor();
    break;
  case "host":
    await (await import("./host/run-host.ts")).runHost();
    break;
  case "attach":
    await (await import("./attach.ts")).runAttach(args[0], args[1]);
    break;
  case "clean":
    await (await import("./clean.ts")).runClean(args);
    break;
  case "files":
    await (await import("./files/run-files.ts")).runFiles();
    break;
  default:
    // A worker thread has no role among its arguments.
    if (!(await import("node:worker_threads")).isMainThread) {
      (await import("./executors/thread/run-thread.ts")).runThread();
    } else {
      console.error(
        "usage: agent supervisor | host | attach control|data|bulk DIR | files | clean PID START DIR WAIT_MS",
      );
      process.exitCode = 2;
    }
}
