import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { npmSettings } from "./npm-settings.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "sky-npmrc-"));
  for (const name of Object.keys(process.env))
    if (/^npm_config_|_proxy$|^NODE_EXTRA_CA_CERTS$/i.test(name)) vi.stubEnv(name, undefined);
  vi.stubEnv("npm_config_globalconfig", join(root, "global"));
  vi.stubEnv("npm_config_userconfig", join(root, "user"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true });
});

const lines = (): string[] => npmSettings(root).rc.trim().split("\n");

test("what says how registries are reached goes along, what does not stays; the nearest comes last", () => {
  writeFileSync(join(root, "global"), "registry=https://global/\nprefix=/usr/local\n");
  writeFileSync(join(root, "user"), "; a comment\n//user/:_authToken = abc\ninit-author-name=me\nstrict-ssl=false\n");
  writeFileSync(join(root, ".npmrc"), "@me:registry = https://mine/\nsave-exact=true\n");
  vi.stubEnv("HTTPS_PROXY", "http://proxy:3128");
  vi.stubEnv("npm_config_fetch_retries", "5");
  vi.stubEnv("npm_config_cache", "/here");
  expect(lines()).toEqual([
    "https-proxy = http://proxy:3128",
    "registry = https://global/",
    "//user/:_authToken = abc",
    "strict-ssl = false",
    "@me:registry = https://mine/",
    "fetch-retries = 5",
  ]);
});

test("variables are filled in, and files that are named go along as text", () => {
  writeFileSync(join(root, ".npmrc"), "//r/:_authToken=${THE_TOKEN}\n//s/:_authToken=${NO_SUCH_ONE}\ncafile=ca.pem\n");
  writeFileSync(join(root, "ca.pem"), "CERTIFICATES");
  writeFileSync(join(root, "extra.pem"), "MORE");
  vi.stubEnv("THE_TOKEN", "secret");
  vi.stubEnv("NODE_EXTRA_CA_CERTS", join(root, "extra.pem"));
  expect(npmSettings(root)).toEqual({
    rc: "//r/:_authToken = secret\n//s/:_authToken = ${NO_SUCH_ONE}\n",
    cafile: "CERTIFICATES",
    ca: "MORE",
  });
});
