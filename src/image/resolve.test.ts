import { describe, expect, it } from "vitest";
import type { Image } from "./image.ts";
import { resolveImage } from "./resolve.ts";

const resolve = (image: unknown, environment = {}) => resolveImage(image as Image, environment);

describe("an image", () => {
  it("is complete without any option", () => {
    expect(resolve(undefined)).toMatchObject({ pip: [], apt: [], env: {}, secrets: {}, bootstrapTimeoutMs: 300_000 });
    expect(resolve({ pip: ["numpy>=2"] }).python).toBe("auto");
  });

  it.each([
    [{ pips: [] }, /image has no option "pips"; did you mean "pip"\?/],
    [{ base: "debian" }, /the base image is set at the provider/],
    [{ pip_indexes: [] }, /it is written "pipIndexes"/],
    [{ bootstrapTimeout: "0s" }, /image\.bootstrapTimeout must be longer than that; got "0s"/],
    [{ pip: "numpy" }, /image\.pip must be a list of texts; got "numpy"/],
    [{ pip: ["numpy", "-r x"] }, /image\.pip\[1\] must be a requirement.*got "-r x"/],
    [{ apt: ["jq; rm -rf /"] }, /image\.apt\[0\] must be a package such as "ffmpeg"/],
    [{ npm: ["left pad"] }, /image\.npm\[0\] must be a package/],
    [
      { npm: ["sharp@0.33"], npmScripts: ["sharpe"] },
      /names "sharpe", which image\.npm does not; did you mean "sharp"\?/,
    ],
    [{ node: 24 }, /image\.node must be "24", "24\.21\.0" or "machine"; got 24/],
    [{ python: "2.7" }, /image\.python must be "auto" or a version such as "3\.12"/],
    [{ env: { "A-B": "x" } }, /a name in image\.env must be letters, digits and underscores; got "A-B"/],
    [{ env: { A: 1 } }, /image\.env\.A must be a text; got 1/],
    [
      { pip: ["torch==${TORCH}"], shellVars: { TORCHV: "echo 1" } },
      /shellVars has no "TORCH"; did you mean "TORCHV"\?/,
    ],
    [{ pipIndexes: [{ url: "pypi", packages: ["a"] }] }, /image\.pipIndexes\[0\]\.url must be the address of an index/],
    [{ pipIndexes: [{ url: "https://x/simple", packages: [] }] }, /packages must be the names/],
    [{ secrets: ["HF_TOKEN"] }, /image\.secrets names HF_TOKEN, which this process has no variable of/],
    [{ secrets: { A: 5 } }, /image\.secrets\.A must be a text/],
  ])("refuses %j", (image, message) => {
    expect(() => resolve(image)).toThrow(message);
  });

  it("refuses a bare number as a limit", () => {
    expect(() => resolve({ bootstrapTimeout: 300 })).toThrow(/bootstrapTimeout is the bare number 300/);
  });

  it("takes secrets by name from this process, or by value, and shows neither", () => {
    expect(resolve({ secrets: ["TOKEN"] }, { TOKEN: "s3cret" }).secrets).toEqual({ TOKEN: "s3cret" });
    expect(resolve({ secrets: { TOKEN: "s3cret" } }).secrets).toEqual({ TOKEN: "s3cret" });
    expect(() => resolve({ secrets: { "NO-NAME": "s3cret" } })).toThrow(/^((?!s3cret).)*$/);
  });
});
