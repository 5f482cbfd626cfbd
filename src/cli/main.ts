#!/usr/bin/env node
import process from "node:process";
import { run } from "@stricli/core";
import { makeApp } from "./app.ts";

// `sky check file.ts | head`: who reads no further has seen enough.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

await run(makeApp(process), process.argv.slice(2), { process });
// stricli's codes for wrong usage are below zero.
if (Number(process.exitCode) < 0) process.exitCode = 2;
