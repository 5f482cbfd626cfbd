/** `12 ms`, `1.4 s`, `3 min 05 s`, `2 h 04 min`. */
export function duration(ms: number): string {
  if (ms < 1) return `${Math.max(0, ms).toFixed(1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

/** How long something has been so, in whole units: `12 s`, `3 min`, `2 h`, `4 d`. At most 6 columns wide. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 100) return `${seconds} s`;
  if (seconds < 6000) return `${Math.floor(seconds / 60)} min`;
  const hours = Math.floor(seconds / 3600);
  return hours < 100 ? `${hours} h` : `${Math.floor(hours / 24)} d`;
}

/** `0.25/s`, `32.5/s`, `1,650,000/s`. */
export function rate(perSecond: number): string {
  const digits = perSecond < 1 ? 2 : perSecond < 100 ? 1 : 0;
  const text = perSecond.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${text}/s`;
}

/** `1,234`. The same in every locale, so that a log can be read by a program. */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** `1 node`, `4 nodes`. */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** `HH:MM:SS` in local time. */
export function clockTime(at: number): string {
  const date = new Date(at);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
