import type { Artifact } from "../../function/artifact/artifact.ts";
import { npmSettings } from "../../function/artifact/native/npm-settings.ts";
import type { Code } from "../../function/capture/code.ts";
import { SkyError } from "../../errors/sky-error.ts";
import { INLINE_MAX_BYTES, Op } from "../../wire/ops.ts";
import type { BindRecord, CodeFailure, CodeRecord, NpmRecord } from "../../wire/records.ts";
import type { Session } from "../../wire/session.ts";
import type { Bind } from "../dispatch/bind.ts";
import { FileShipping } from "./file-shipping.ts";
import { npmArchive } from "./npm-archive.ts";
import { TreeShipping } from "./tree-shipping.ts";

/** Whether a bind's lines of a stream should leave the node. */
export type ShowsOutput = (bind: Bind, stream: "stdout" | "stderr") => boolean;

interface Asked {
  resolve(): void;
  reject(error: SkyError): void;
}

/** What one host has been sent of files, codes and binds, so that nothing goes twice. Dies with the session. */
export class Shipping {
  readonly #rank: number;
  readonly #session: Session;
  readonly #shows: ShowsOutput;
  readonly #atHome: boolean;
  #lastCode = 0;
  readonly #files: FileShipping;
  readonly #trees: TreeShipping;
  readonly #codes = new Map<Code, number>();
  readonly #binds = new Set<number>();
  readonly #unanswered = new Set<Asked>();
  /** Codes that the host has and has not answered for yet. */
  readonly #asked = new Map<number, Asked>();
  /** Codes that the host has said to be in place, or will. */
  readonly #placed = new Map<Code, Promise<void>>();
  /** Binds whose bulk is still leaving: what waits for them. */
  readonly #waiting = new Map<number, (() => void)[]>();

  /** `atHome`: the node is this machine, and has what is installed here. */
  constructor(rank: number, session: Session, shows: ShowsOutput, atHome: boolean) {
    this.#rank = rank;
    this.#session = session;
    this.#shows = shows;
    this.#files = new FileShipping(session);
    this.#trees = new TreeShipping(session);
    this.#atHome = atHome;
  }

  /** The node has files already, and is about to say which. */
  waitForHave(): void {
    this.#files.waitForHave();
  }

  /** @param hashes of files that the node has. @throws SkyError SKY_WIRE_MALFORMED */
  have(hashes: Buffer): void {
    this.#files.have(hashes);
  }

  /** Puts a code in place. @throws SkyError SKY_INSTALL_FAILED */
  prepare(code: Code): Promise<void> {
    let placed = this.#placed.get(code);
    if (placed === undefined) {
      placed = this.#codes.has(code) ? Promise.resolve() : this.#ask(code);
      this.#placed.set(code, placed);
      placed.catch(() => {
        this.#placed.delete(code);
        this.#codes.delete(code);
      });
    }
    return placed;
  }

  /** Answers that are awaited will not come. */
  dispose(): void {
    const gone = new SkyError("SKY_LINK_LOST", "the host that was to put a function in place is gone", {
      retryable: true,
    });
    for (const asked of this.#unanswered) asked.reject(gone);
  }

  #ask(code: Code): Promise<void> {
    return new Promise((resolve, reject) => {
      const asked = { resolve, reject };
      this.#unanswered.add(asked);
      this.#code(code, (id) => this.#asked.set(id, asked), true);
      this.#session.flush();
    });
  }

  /** The host says that a code is in place, or why it can't be. */
  answered(id: number, failure: CodeFailure | undefined): void {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    if (asked) this.#unanswered.delete(asked);
    if (failure === undefined) return asked?.resolve();
    const { message, hint, retryable, details } = failure;
    asked?.reject(
      new SkyError("SKY_INSTALL_FAILED", message, {
        ...(hint === "" ? {} : { hint }),
        retryable,
        details: { ...details, node: this.#rank },
      }),
    );
  }

  /** Sends the npm of this machine. */
  async npm(): Promise<void> {
    const hash = await npmArchive().catch(() => undefined);
    const record: NpmRecord = hash === undefined ? {} : { hash };
    const files = hash === undefined ? [] : [{ hash, path: "npm.tgz" }];
    this.#files.send(files, () => {
      this.#session.sendJson(Op.NPM, record);
      this.#session.flush();
    });
    this.#session.flush();
  }

  /** Runs `then` when everything the bind needs is in frames; at once where it is. */
  with(bind: Bind, then: () => void): void {
    if (this.#binds.has(bind.id)) return then();
    const waiting = this.#waiting.get(bind.id);
    if (waiting) return void waiting.push(then);
    const list = [then];
    this.#waiting.set(bind.id, list);
    this.#code(bind.code, (code) =>
      this.#bind(bind, code, () => {
        this.#binds.add(bind.id);
        this.#waiting.delete(bind.id);
        for (const one of list) one();
      }),
    );
  }

  forget(bind: Bind): void {
    if (!this.#binds.delete(bind.id)) return;
    this.#session.open(Op.UNBIND);
    this.#session.out.u32(bind.id);
    this.#session.close();
  }

  #code(code: Code, then: (id: number) => void, answer = false): void {
    const known = this.#codes.get(code);
    if (known !== undefined) return then(known);
    const artifact = code.artifact!;
    const plans = artifact.externals
      .filter(({ home }) => !this.#isHere(home))
      .map(({ plan, path }) => ({ hash: plan, path: `${path}.json` }));
    this.#files.send([...artifact.files, ...plans], () => {
      const again = this.#codes.get(code);
      if (again !== undefined) return then(again);
      const id = ++this.#lastCode;
      this.#codes.set(code, id);
      this.#trees.send(id, artifact, { ...this.#externals(artifact), ...(answer ? { answer } : {}) });
      then(id);
    });
  }

  #externals({ externals, root }: Artifact): Pick<CodeRecord, "externals" | "npm"> {
    if (externals.length === 0) return {};
    const records = externals.map(({ path, home, plan }) => (this.#isHere(home) ? { path, home } : { path, plan }));
    const installs = externals.some(({ home }) => !this.#isHere(home));
    return { externals: records, ...(installs ? { npm: npmSettings(root) } : {}) };
  }

  /** Whether the node has what is installed at this place. */
  #isHere(home: string | undefined): home is string {
    return this.#atHome && home !== undefined;
  }

  #bind(bind: Bind, code: number, then: () => void): void {
    const record: BindRecord = {
      bind: bind.id,
      code,
      limitMs: bind.limitMs,
      limited: bind.options.timeoutMs !== undefined,
      stdout: this.#shows(bind, "stdout"),
      stderr: this.#shows(bind, "stderr"),
      ...(bind.options.inspect && { inspect: true }),
    };
    if (bind.values.length <= INLINE_MAX_BYTES) {
      this.#record(record, bind.values);
      return then();
    }
    this.#session.bulk.send(bind.values, (channel) => {
      this.#record({ ...record, channel }, NOTHING);
      then();
    });
  }

  #record(record: BindRecord, values: Uint8Array): void {
    const { out } = this.#session;
    const json = Buffer.from(JSON.stringify(record));
    this.#session.open(Op.BIND);
    out.u32(json.length);
    out.bytes(json);
    out.bytes(values);
    this.#session.close();
  }
}

const NOTHING = Buffer.alloc(0);
