import { SkyError } from "../../errors/sky-error.ts";
import type { CodeFailure, CodeRecord, NoteRecord, NpmRecord } from "../../wire/records.ts";
import { Installer } from "./install/installer.ts";
import { PushedNpm } from "./install/pushed-npm.ts";
import type { Session } from "../../wire/session.ts";
import { HASH_BYTES, Op } from "../../wire/ops.ts";
import { Library } from "./library.ts";

/** Puts functions in place on this node, and tells the controller how that goes. */
export class Placing {
  readonly library: Library;
  readonly #npm: PushedNpm;
  readonly #say: (note: NoteRecord) => void;

  constructor(dir: string, say: (note: NoteRecord) => void) {
    this.#say = say;
    this.#npm = new PushedNpm(dir, () => say({ type: "npm" }));
    const installer = new Installer(dir, {
      installing: (name) => say({ type: "installing", package: name }),
      installed: (name, elapsedMs) => say({ type: "installed", package: name, elapsedMs }),
      pushedNpm: () => this.#npm.get(),
    });
    this.library = new Library(dir, installer);
  }

  /** `isCurrent`: whether who sent it still listens. @throws SkyError SKY_WIRE_MALFORMED */
  code(code: CodeRecord, isCurrent: () => boolean): void {
    const answer = (error?: CodeFailure): void => {
      if (code.answer !== true || !isCurrent()) return;
      this.#say({ type: "code", code: code.code, ...(error === undefined ? {} : { error }) });
    };
    const placed = this.library.addCode(code);
    if (placed === undefined) return answer();
    placed.then(
      () => answer(),
      (error: unknown) => answer(failureOf(error)),
    );
  }

  npm({ hash }: NpmRecord): void {
    this.#npm.came(hash === undefined ? undefined : this.library.blob(hash));
  }

  /** The answer to a controller: which session goes on, and in a new one how many files are here that HAVE tells of. */
  answer(session: string, received: number): string {
    const kept = received === 0 ? this.library.kept.length / HASH_BYTES : 0;
    return `${JSON.stringify({ ok: true, session, received, ...(kept > 0 && { kept }) })}\n`;
  }

  /** Tells a new session of the files that are here. */
  greet(session: Session): Session {
    const { kept } = this.library;
    if (kept.length > 0) session.send(Op.HAVE, kept);
    return session;
  }

  /** The controller begins anew. */
  reset(): void {
    this.#npm.again();
  }
}

function failureOf(error: unknown): CodeFailure {
  if (!(error instanceof SkyError)) return { message: String(error), hint: "", retryable: false, details: {} };
  const { message, hint, retryable, details } = error;
  return { message, hint, retryable, details };
}
