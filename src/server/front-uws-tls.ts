/** Makes uWebSockets.js apps from TlsMaterial. uWS reads certificates from files only. */

import type { AppOptions, TemplatedApp } from "uWebSockets.js";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { logWarning } from "../metrics/log.ts";
import type { UwsModule } from "../native/uws.ts";
import type { TlsMaterial } from "./front.ts";
import { collectClientCertificates } from "./front-uws-pump.ts";

/** What Go offers for TLS 1.2 by default, without its CBC suites. */
const DEFAULT_CIPHERS = [
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
].join(":");
/** uWS has no switch for a minimum version: a suite that needs a shared key leaves only TLS 1.3. */
const NO_TLS12 = "PSK-AES256-CBC-SHA";

/**
 * An app that serves `tls`, and the names of its SNI certificates: routes are registered once for
 * the app and once per name. Throws with BoringSSL's refusal when a PEM is bad.
 */
export function createTlsApp(uws: UwsModule, tls: TlsMaterial): TemplatedApp {
  const folder = mkdtempSync(join(tmpdir(), "klystron-tls-")); // mode 0700
  try {
    const file = (content: string): string => {
      const path = join(folder, randomBytes(8).toString("hex"));
      writeFileSync(path, content, { mode: 0o600 });
      return path;
    };
    const options = (pair: { certificate: string; key: string }): AppOptions => ({
      cert_file_name: file(pair.certificate),
      key_file_name: file(pair.key),
      ssl_ciphers: tls.minVersion === "TLSv1.3" ? NO_TLS12 : (tls.cipherSuites ?? DEFAULT_CIPHERS),
      ...(tls.clientAuthorities === undefined ? {} : { ca_file_name: file(tls.clientAuthorities) }),
      passphrase: "-", // no key has one: it marks the place for collectClientCertificates
    });
    const app = uws.SSLApp(options(tls));
    if (tls.clientAuthorities !== undefined && !collectClientCertificates(app)) warnOnce();
    for (const pair of tls.sni) {
      for (const name of pair.names) app.addServerName(name, options(pair));
    }
    return app;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

let warned = false;

function warnOnce(): void {
  if (warned) return;
  warned = true;
  logWarning(
    "Client certificates are verified in the TLS handshake: bad ones and those of intermediate " +
      "authorities are refused there",
    {},
  );
}
