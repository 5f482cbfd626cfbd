import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { SkyError } from "../../errors/sky-error.ts";
import type { CloudProvider, ProviderReference } from "../../providers/cloud-provider.ts";
import { container } from "../../providers/container/container.ts";
import { checkProvider } from "../../providers/created/check-provider.ts";
import { watched } from "../../providers/created/watched.ts";

/** The provider that a ledger's line speaks of; undefined for one that is not known here. */
export function restore({ name, options }: ProviderReference): CloudProvider | undefined {
  return name === "container" ? watched(container(options)) : undefined;
}

/**
 * The same, with the providers of somebody's own module: what it exports by a provider's name, called with the
 * reference's options, is that provider.
 * @throws SkyError SKY_BAD_OPTION when there is no such module
 */
export async function restoring(module: string | undefined): Promise<typeof restore> {
  if (module === undefined) return restore;
  const exports = await load(module);
  return (reference) => {
    const make = exports[reference.name];
    if (typeof make !== "function") return restore(reference);
    const made = (make as (options: ProviderReference["options"]) => CloudProvider)(reference.options);
    checkProvider(made);
    return watched(made);
  };
}

async function load(module: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(pathToFileURL(resolve(module)).href)) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    const message = `--provider ${module} can't be loaded: ${(cause as Error).message}`;
    throw new SkyError("SKY_BAD_OPTION", message, { cause, hint: "Give the path of a JavaScript module." });
  }
}
