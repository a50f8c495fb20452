/** Upstream: apiserver/pkg/server/options/serving.go. */
import { bool, int, int32Slice, ip, namedCertKey, string, strings } from "../flag-spec.ts";

export const secureServingFlags = {
  "bind-address": ip("0.0.0.0", "Address to listen on; 0.0.0.0 or :: for every interface."),
  "cert-dir": string(
    "/var/run/kubernetes",
    "Folder for the self-made serving certificate. Ignored with --tls-cert-file; without either, --data-dir is used.",
  ),
  "disable-http2-serving": bool(false, "Serve HTTP/1.1 only."),
  "http2-max-streams-per-connection": int(0, "Streams an HTTP/2 client may open; 0: the default."),
  "permit-address-sharing": bool(false, "Listen with SO_REUSEADDR."),
  "permit-port-sharing": bool(false, "Listen with SO_REUSEPORT, beside other processes."),
  "secure-port": int(6443, "Port to serve HTTPS on. It can not be switched off with 0."),
  "tls-cert-file": string(
    "",
    "Serving certificate, followed by its chain. Re-read when it changes.",
  ),
  "tls-cipher-suites": strings(
    [],
    "TLS 1.2 cipher suites, by their IANA names. Empty: the default.",
  ),
  "tls-curve-preferences": int32Slice("Key exchange mechanisms in order, as CurveID numbers."),
  "tls-min-version": string(
    "",
    "Oldest TLS version: VersionTLS10, VersionTLS11, VersionTLS12 or VersionTLS13. Below 1.2 is served as 1.2.",
  ),
  "tls-private-key-file": string("", "Key of --tls-cert-file."),
  "tls-sni-cert-key": namedCertKey(
    "cert,key[:name,...]: another certificate, for clients that ask for these names, or for those in it. Repeatable.",
  ),
};
