import { type Readable, Transform } from "node:stream";

/** What a login shell may print before. */
const NOISE_MAX_BYTES = 64 * 1024;

/** What comes behind the line `mark`; all of it where that line does not come. */
export function behindMark(source: Readable, mark: string): Readable {
  const line = Buffer.from(`${mark}\n`);
  let held: Buffer | undefined = Buffer.alloc(0);
  const out = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (held === undefined) return done(null, chunk);
      held = Buffer.concat([held, chunk]);
      const at = held.indexOf(line);
      if (at === -1 && held.length < NOISE_MAX_BYTES) return done();
      const rest = at === -1 ? held : held.subarray(at + line.length);
      held = undefined;
      return done(null, rest);
    },
    flush: (done) => done(null, held),
  });
  // A channel whose connection broke closes without an end.
  source.once("close", () => {
    if (!out.writableEnded) out.end();
  });
  return source.pipe(out);
}
