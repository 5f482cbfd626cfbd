import type { CloudProvider, ProviderReference } from "../../providers/cloud-provider.ts";
import { container } from "../../providers/container/container.ts";

/** The provider that a ledger's line speaks of; undefined for one that this version does not know. */
export function restore({ name, options }: ProviderReference): CloudProvider | undefined {
  return name === "container" ? container(options) : undefined;
}
