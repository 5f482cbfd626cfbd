import { extname } from "node:path";
import type { ArtifactFile } from "../../function/artifact/artifact.ts";
import { blob } from "../../function/artifact/store.ts";
import { SkyError } from "../../errors/sky-error.ts";
import { HASH_BYTES, INLINE_MAX_BYTES, Op } from "../../wire/ops.ts";
import type { Session } from "../../wire/session.ts";
import { packedFiles } from "./packed-files.ts";

/** Larger files go alone, as they are: compressing would take longer than most links take for them. */
const LARGE_BYTES = 1024 * 1024;
/** Files that go together; a host unpacks them in one go, in some 10 ms. */
const TOGETHER_BYTES = 4 * 1024 * 1024;
/** Kinds that are compressed already. */
const DENSE =
  /^\.(?:png|jpe?g|gif|webp|avif|ico|mp[34]|webm|ogg|woff2?|zip|gz|tgz|br|zst|xz|bz2|7z|pdf|node|onnx|safetensors)$/i;

type File = Pick<ArtifactFile, "hash" | "path">;

/** Some files on their way to a host. */
class Shipment {
  readonly #waiting: (() => void)[] = [];
  #left = false;

  /** Runs `then` when all are in frames. */
  whenLeft(then: () => void): void {
    if (this.#left) then();
    else this.#waiting.push(then);
  }

  leave(): void {
    this.#left = true;
    for (const then of this.#waiting) then();
  }
}

/** The files that one host has been sent, so that none goes twice. */
export class FileShipping {
  readonly #session: Session;
  readonly #shipments = new Map<string, Shipment>();
  /** What waits until the host has said which files it has; undefined where that is known. */
  #waiting: (() => void)[] | undefined;

  constructor(session: Session) {
    this.#session = session;
  }

  waitForHave(): void {
    this.#waiting ??= [];
  }

  /** Files that an earlier session, or an earlier host, has left there: these need not be sent. */
  have(hashes: Buffer): void {
    if (hashes.length % HASH_BYTES !== 0) throw new SkyError("SKY_WIRE_MALFORMED", "HAVE is a list of hashes");
    const there = new Shipment();
    there.leave();
    for (let at = 0; at < hashes.length; at += HASH_BYTES)
      this.#shipments.set(hashes.toString("hex", at, at + HASH_BYTES), there);
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const send of waiting) send();
    this.#session.flush();
  }

  /** Runs `then` when all files are in frames; at once where they are. */
  send(files: readonly File[], then: () => void): void {
    if (this.#waiting) return void this.#waiting.push(() => this.send(files, then));
    let open = 1;
    const one = (): void => {
      if (--open === 0) then();
    };
    const { alone, together } = this.#missing(files);
    for (const hash of alone) this.#blob(hash);
    for (const hashes of together) this.#together(hashes);
    // Also those that another function has asked for, and that are still leaving.
    for (const shipment of new Set(files.map(({ hash }) => this.#shipments.get(hash)!))) {
      open++;
      shipment.whenLeft(one);
    }
    one();
  }

  #blob(hash: string): void {
    const shipment = new Shipment();
    this.#shipments.set(hash, shipment);
    this.#content(Op.BLOB, Buffer.from(hash, "hex"), contentOf(hash), shipment);
  }

  #together(hashes: readonly string[]): void {
    const shipment = new Shipment();
    for (const hash of hashes) this.#shipments.set(hash, shipment);
    const packed = packedFiles(hashes, contentOf);
    if (packed instanceof Uint8Array) return this.#content(Op.FILES, NOTHING, packed, shipment);
    void packed.then((bytes) => {
      if (this.#session.disposed) return;
      this.#content(Op.FILES, NOTHING, bytes, shipment);
      this.#session.flush();
    });
  }

  #missing(files: readonly File[]): { readonly alone: readonly string[]; readonly together: readonly string[][] } {
    const alone: string[] = [];
    const together: string[][] = [];
    const seen = new Set<string>();
    let bytes = Infinity;
    for (const { hash, path } of files) {
      if (this.#shipments.has(hash) || seen.has(hash)) continue;
      seen.add(hash);
      const size = contentOf(hash).byteLength;
      if (size > LARGE_BYTES || DENSE.test(extname(path))) {
        alone.push(hash);
        continue;
      }
      if (bytes + size > TOGETHER_BYTES) {
        together.push([]);
        bytes = 0;
      }
      together.at(-1)!.push(hash);
      bytes += size;
    }
    return { alone, together };
  }

  #content(op: number, head: Buffer, content: Uint8Array, shipment: Shipment): void {
    const session = this.#session;
    if (content.byteLength <= INLINE_MAX_BYTES) {
      session.open(op);
      session.out.bytes(head);
      session.out.u8(0);
      session.out.bytes(content);
      session.close();
      return shipment.leave();
    }
    session.bulk.send(content, (channel) => {
      session.open(op);
      session.out.bytes(head);
      session.out.u8(1);
      session.out.u32(channel);
      session.close();
      shipment.leave();
    });
  }
}

const NOTHING = Buffer.alloc(0);

function contentOf(hash: string): Uint8Array {
  const content = blob(hash);
  if (content !== undefined) return content;
  throw new SkyError("SKY_CAPTURE_UNRESOLVED", `the content of a file with the hash ${hash} is no longer at hand`);
}
