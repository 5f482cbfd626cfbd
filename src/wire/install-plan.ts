/** How a node installs one package with all that it needs, in exact versions. It travels as a blob of JSON. */
export interface InstallPlan {
  /** The folder that it is imported by, below `node_modules`. */
  readonly name: string;
  readonly version: string;
  /** package.json of the installation. */
  readonly manifest: object;
  /** Its package-lock.json; without one the manifest's overrides say which versions. */
  readonly lock?: object;
  /** Without a lock: what npm must have found, by `name@version`. */
  readonly integrity?: Readonly<Record<string, string>>;
  /** Packages whose install scripts run. All others' don't. */
  readonly scripts: readonly string[];
  /** It is built by an install script, and that is not listed. */
  readonly unlisted?: boolean;
}
