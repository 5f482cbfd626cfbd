import { runProcess } from "./executors/process/run-process.ts";

runProcess();
