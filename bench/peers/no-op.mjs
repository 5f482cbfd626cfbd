// What piscina's threads run.
export default function noop() {}
