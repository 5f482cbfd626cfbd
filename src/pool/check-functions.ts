import { SkyError } from "../errors/sky-error.ts";
import type { Artifact } from "../function/artifact/artifact.ts";
import type { Code } from "../function/capture/code.ts";

/**
 * Makes the code of functions before there is a machine.
 * @throws SkyError SKY_CAPTURE_*; SKY_INSTALL_FAILED where one needs what no node would install
 */
export async function checkFunctions(codes: readonly Code[], atHome: boolean): Promise<void> {
  for (const code of codes) {
    const artifact = await code.ready();
    if (!atHome) refuseUnlisted(code.name, artifact);
  }
}

/** A package that only its install script could make work there, and that is not listed. */
function refuseUnlisted(name: string, { externals }: Artifact): void {
  const unlisted = externals.find((external) => external.unlisted);
  if (unlisted === undefined) return;
  const { name: packageName, version } = unlisted;
  throw new SkyError(
    "SKY_INSTALL_FAILED",
    `${name} can't be sent: ${packageName}@${version} has to be built by its install script on the node, and package.json does not list that.`,
    {
      hint: `List it in package.json, if you trust it: "allowScripts": { ${JSON.stringify(packageName)}: true }`,
      details: { function: name, package: packageName, version },
    },
  );
}
