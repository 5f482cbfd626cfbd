import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runProgram } from "../support/program.ts";
import { Sshd } from "../support/sshd.ts";

test("proxies and private authorities are passed on to machines", async () => {
  const dir = mkdtempSync(join(tmpdir(), "sky-network-"));
  const [key, cert] = [join(dir, "key.pem"), join(dir, "cert.pem")];
  const words = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -addext subjectAltName=IP:127.0.0.1";
  execFileSync("openssl", [...words.split(" "), "-keyout", key, "-out", cert], { stdio: "ignore" });
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_, response) => {
    response.end("for those who trust it");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    // The sshd of the test must not have it from here.
    const none = { NODE_EXTRA_CA_CERTS: "", SSL_CERT_FILE: "", CURL_CA_BUNDLE: "", SSL_CERT_DIR: "" };
    await using sshd = await Sshd.start({ env: { HOME: dir, XDG_CACHE_HOME: `${dir}/.cache`, ...none } });
    const env = {
      SSH: JSON.stringify({ hosts: [sshd.target], key: sshd.key, knownHosts: sshd.knownHosts }),
      SERVER: `https://127.0.0.1:${(server.address() as AddressInfo).port}/`,
      NODE_EXTRA_CA_CERTS: cert,
      HTTPS_PROXY: "http://me:pass-4711-word@proxy.example:3128",
      HTTP_PROXY: "http://127.0.0.1:3128",
      NO_PROXY: "127.0.0.1",
    };
    const { code, points, report } = await runProgram("test/surface/programs/network.ts", { env });
    expect(points, report).toEqual([
      "a private authority and proxies are known to bootstrap, agent and tasks",
      "what the proxy wants to know is in no log and no argument",
    ]);
    expect(code, report).toBe(0);
  } finally {
    server.close();
    rmSync(dir, { recursive: true });
  }
});
