const BRAND = Symbol.for("skyward.remote-error");

export interface RemoteErrorInit {
  /** The original's `name`. */
  readonly name: string;
  /** Class names of the original, from its own up to the built-in one. */
  readonly classes: readonly string[];
}

/**
 * An error of a class that this program does not have. `name`, `message`, `stack`, `cause` and own properties are the
 * original's, so `err.name === "ZodError"` works. `instanceof` works across copies of the package.
 */
export class RemoteError extends Error {
  /** The name of the original's class. */
  declare readonly remoteName: string;
  /** Class names of the original, from its own up to the built-in one. */
  declare readonly remoteClasses: readonly string[];

  constructor(message: string, init: RemoteErrorInit) {
    super(message);
    const hidden = { enumerable: false, writable: true, configurable: true };
    Object.defineProperties(this, {
      name: { value: init.name, ...hidden },
      remoteName: { value: init.classes[0] ?? init.name, ...hidden },
      remoteClasses: { value: init.classes, ...hidden },
      [BRAND]: { value: true },
    });
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    const branded = typeof value === "object" && value !== null && BRAND in value;
    return this === RemoteError ? branded : branded && Function.prototype[Symbol.hasInstance].call(this, value);
  }
}
