import type { Instance, Tags } from "../cloud-provider.ts";
import { engine, isGone } from "./engine.ts";

export const LABEL = "skyward.";
const TAGS = ["owner", "controller", "pool", "intent", "ttl"] as const satisfies (keyof Tags)[];

/** The parts of `inspect` that are read here. */
interface Inspected {
  readonly Name: string;
  readonly Created: string;
  readonly State: { readonly Status: string };
  readonly Config: { readonly Labels?: Readonly<Record<string, string>> };
  readonly NetworkSettings: {
    readonly IPAddress?: string;
    readonly Networks?: Readonly<Record<string, { readonly IPAddress?: string }>>;
    readonly Ports?: Readonly<Record<string, readonly { readonly HostPort: string }[] | null>>;
  };
}

/** Containers as machines; those that are no more are left out. */
export async function inspect(binary: string, ids: readonly string[], signal: AbortSignal): Promise<Instance[]> {
  if (ids.length === 0) return [];
  try {
    const text = await engine(binary, ["container", "inspect", ...ids], signal);
    return (JSON.parse(text) as Inspected[]).flatMap(instanceOf);
  } catch (error) {
    if (!isGone(error)) throw error;
    if (ids.length === 1) return [];
    // One of them has gone meanwhile.
    return (await Promise.all(ids.map((id) => inspect(binary, [id], signal)))).flat();
  }
}

function instanceOf({ Name, Created, State, Config, NetworkSettings }: Inspected): Instance[] {
  const labels = Config.Labels ?? {};
  const name = Name.replace(/^\//, "");
  const tags = Object.fromEntries(TAGS.map((tag) => [tag, labels[`${LABEL}${tag}`] ?? ""])) as unknown as Tags;
  const address = addressOf(NetworkSettings);
  const port = NetworkSettings.Ports?.["22/tcp"]?.[0]?.HostPort;
  const login = port === undefined ? { host: address, port: 22 } : { host: "127.0.0.1", port: Number(port) };
  return [
    {
      id: name,
      name,
      tags,
      state: stateOf(State.Status),
      createdAt: Date.parse(Created),
      ...(login.host === "" ? {} : { login: { ...login, user: "root" } }),
      ...(address === "" ? {} : { privateAddress: address }),
    },
  ];
}

function addressOf({ IPAddress, Networks }: Inspected["NetworkSettings"]): string {
  const first = Object.values(Networks ?? {}).find((network) => (network.IPAddress ?? "") !== "");
  return first?.IPAddress ?? IPAddress ?? "";
}

function stateOf(status: string): Instance["state"] {
  if (status === "running" || status === "paused") return "running";
  return status === "created" || status === "configured" || status === "initialized" ? "starting" : "ending";
}
