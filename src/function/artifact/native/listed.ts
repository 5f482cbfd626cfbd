/** A package that is installed where functions run, whatever the lockfile says of it. */
export interface ListedPackage {
  readonly name: string;
  /** A version, a range or a tag; undefined: what is installed at home, else the newest. */
  readonly version: string | undefined;
  /** Whether its install script may run. */
  readonly scripts: boolean;
}
