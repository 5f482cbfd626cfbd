import { SkyError } from "../errors/sky-error.ts";
import { Default, type Metric } from "./metrics.ts";

/** @throws SkyError SKY_BAD_OPTION */
export function resolveMetrics(value: unknown): readonly Metric[] {
  if (value === undefined) return Default();
  if (value === null || value === false) return [];
  const list = Array.isArray(value) ? (value.flat() as unknown[]) : [value];
  for (const [index, one] of list.entries()) {
    if (typeof one === "object" && one !== null && "kind" in one && "intervalMs" in one) continue;
    throw new SkyError(
      "SKY_BAD_OPTION",
      `image.metrics[${index}] must be a collector such as sky.metrics.CPU(); got ${JSON.stringify(one) ?? typeof one}`,
      {
        hint: 'Write image: { metrics: [sky.metrics.CPU(), sky.metrics.Disk("/data")] }, or null for none.',
      },
    );
  }
  return list as readonly Metric[];
}
