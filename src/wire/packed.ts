import { promisify } from "node:util";
import { type BrotliOptions, brotliCompress, brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";
import { SkyError } from "../errors/sky-error.ts";

/** The first byte: the bytes as they are, or their length as u32 and then brotli. */
const Encoding = { PLAIN: 0, BROTLI: 1 } as const;
/** A quarter of the time that the next better quality takes, for text. */
const QUALITY = 4;

const compressAside = promisify(brotliCompress);

/** Bytes as they cross: compressed where that makes them fewer. Takes a millisecond for each 50 kB. */
export function pack(bytes: Buffer): Buffer {
  return framed(bytes, brotliCompressSync(bytes, optionsFor(bytes)));
}

/** The same on another thread. */
export async function packAside(bytes: Buffer): Promise<Buffer> {
  return framed(bytes, await compressAside(bytes, optionsFor(bytes)));
}

function optionsFor({ length }: Buffer): BrotliOptions {
  return { params: { [constants.BROTLI_PARAM_QUALITY]: QUALITY, [constants.BROTLI_PARAM_SIZE_HINT]: length } };
}

function framed(bytes: Buffer, small: Buffer): Buffer {
  if (small.length + 4 >= bytes.length) return Buffer.concat([Buffer.from([Encoding.PLAIN]), bytes]);
  const head = Buffer.alloc(5);
  head[0] = Encoding.BROTLI;
  head.writeUInt32LE(bytes.length, 1);
  return Buffer.concat([head, small]);
}

/**
 * The bytes that `pack` was given. What comes as it is stays a view of `packed`.
 * @throws SkyError SKY_WIRE_MALFORMED where it is anything else, or would be more than `maxBytes`
 */
export function unpack(packed: Buffer, maxBytes: number): Buffer {
  if (packed[0] === Encoding.PLAIN) return packed.subarray(1);
  const size = packed[0] === Encoding.BROTLI && packed.length > 5 ? packed.readUInt32LE(1) : 0;
  if (size === 0 || size > maxBytes) throw new SkyError("SKY_WIRE_MALFORMED", `packed bytes that announce ${size}`);
  let bytes: Buffer;
  try {
    bytes = brotliDecompressSync(packed.subarray(5), { maxOutputLength: size });
  } catch (cause) {
    throw new SkyError("SKY_WIRE_MALFORMED", "packed bytes that can't be unpacked", { cause });
  }
  if (bytes.length !== size) throw new SkyError("SKY_WIRE_MALFORMED", `${bytes.length} of ${size} packed bytes`);
  return bytes;
}
