import { describe, expect, it } from "vitest";
import { proxiesOf } from "./network.ts";

describe("proxies of this program", () => {
  it("go to other machines, under both spellings", () => {
    expect(proxiesOf({ https_proxy: "http://me:pw@proxy.corp:3128", NO_PROXY: "localhost,.corp" })).toEqual({
      HTTPS_PROXY: "http://me:pw@proxy.corp:3128",
      https_proxy: "http://me:pw@proxy.corp:3128",
      NO_PROXY: "localhost,.corp",
      no_proxy: "localhost,.corp",
    });
  });

  it.each([
    "http://127.0.0.1:3128",
    "http://localhost:3128/",
    "http://me:pw@localhost",
    "127.8.8.8:80",
    "socks5h://[::1]:1080",
  ])("stay here where only this computer reaches them: %s", (proxy) => {
    expect(proxiesOf({ HTTP_PROXY: proxy, NO_PROXY: "x" })).toEqual({});
  });

  it("are none where none are set", () => expect(proxiesOf({ HTTP_PROXY: "", NO_PROXY: "x" })).toEqual({}));
});
