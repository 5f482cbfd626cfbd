import { openCache } from "../../function/cache/open-cache.ts";
import { cacheKey } from "../../function/cache/tools.ts";
import { pack, packAside } from "../../wire/packed.ts";

/** More than this is packed aside. */
const AT_ONCE_BYTES = 64 * 1024;
/** What many nodes are sent is packed once: while the first of them asks, and for the next program on disk. */
const packing = new Map<string, Promise<Buffer>>();

/** The contents of files as one FILES record brings them: packed, or soon to be. */
export function packedFiles(
  hashes: readonly string[],
  contentOf: (hash: string) => Uint8Array,
): Buffer | Promise<Buffer> {
  const contents = hashes.map(contentOf);
  const bytes = contents.reduce((sum, content) => sum + content.byteLength, 0);
  if (bytes <= AT_ONCE_BYTES) return pack(together(contents));
  const key = cacheKey("packed", ...hashes);
  const known = packing.get(key) ?? openCache()?.get(key);
  if (known !== undefined) return known;
  const packed = packAside(together(contents));
  packing.set(key, packed);
  void packed.then((made) => {
    packing.delete(key);
    openCache()?.put(key, () => made);
  });
  return packed;
}

function together(contents: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    contents.flatMap((content) => {
      const size = Buffer.alloc(4);
      size.writeUInt32LE(content.byteLength);
      return [size, content];
    }),
  );
}
