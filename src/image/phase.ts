/** A part of the bootstrap that is done once, as far as its text says. */
export interface Phase {
  readonly name: "system" | "python" | "pip" | "steps";
  /** The body of a shell function; each command of it goes through `run`. */
  readonly body: string;
  /** The body of another, which says whether uv is needed where there is none. */
  readonly wantsUv?: string;
}
