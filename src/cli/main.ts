#!/usr/bin/env node
import process from "node:process";
import { run } from "@stricli/core";
import { makeApp } from "./app.ts";

await run(makeApp(process), process.argv.slice(2), { process });
// stricli's codes for wrong usage are below zero.
if (Number(process.exitCode) < 0) process.exitCode = 2;
