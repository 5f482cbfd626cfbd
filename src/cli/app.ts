import { type Application, buildApplication, buildRouteMap, type CommandContext } from "@stricli/core";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { wantsColors } from "../console/colors.ts";
import { ownRoot } from "../function/artifact/own-package.ts";
import { check } from "./check/command.ts";
import { container } from "./container/commands.ts";
import { ledger } from "./ledger/command.ts";
import { exec, logs, nodes } from "./pools/commands.ts";
import { ssh } from "./ssh/commands.ts";
import { sweep } from "./sweep/command.ts";

/** The commands of `sky`: each is described here, and loaded when it is called. */
export function makeApp({ stdout, env }: NodeJS.Process): Application<CommandContext> {
  const root = buildRouteMap({
    routes: { check, container, exec, ledger, logs, nodes, ssh, sweep },
    docs: { brief: "Run your functions on machines that exist only as long as the work does" },
  });
  return buildApplication(root, {
    name: "sky",
    versionInfo: { getCurrentVersion: ownVersion },
    scanner: { caseStyle: "allow-kebab-for-camel", allowArgumentEscapeSequence: true },
    documentation: { caseStyle: "convert-camel-to-kebab", disableAnsiColor: !wantsColors(stdout, env) },
  });
}

async function ownVersion(): Promise<string> {
  const manifest = JSON.parse(await readFile(join(ownRoot, "package.json"), "utf8")) as { readonly version: string };
  return manifest.version;
}
