/**
 * Users named in headers by an authenticating proxy. Only a connection whose certificate chains to
 * the proxies' own authority is believed; from anyone else the headers mean nothing.
 * Upstream: apiserver/pkg/authentication/request/headerrequest.
 */
import type { ReceivedRequest } from "../request/request.ts";
import type { Authenticator } from "./authenticator.ts";
import type { CertificatePool } from "./x509/certificate-pool.ts";
import { CertificateRefused } from "./x509/certificate-pool.ts";
import { verifiedCertificateOf } from "./x509/connection-certificates.ts";

export interface RequestHeaderOptions {
  /** The pool in force. */
  pool(): CertificatePool;
  /** Common names that proxies may have; empty: any. */
  readonly allowedNames: readonly string[];
  readonly usernameHeaders: readonly string[];
  readonly uidHeaders: readonly string[];
  readonly groupHeaders: readonly string[];
  readonly extraHeaderPrefixes: readonly string[];
  readonly now: () => number;
}

/** Makes the authenticator of `--requestheader-*`. */
export function requestHeaderAuthenticator(options: RequestHeaderOptions): Authenticator {
  const lower = (names: readonly string[]) => names.map((name) => name.toLowerCase());
  const names = {
    username: lower(options.usernameHeaders),
    uid: lower(options.uidHeaders),
    groups: lower(options.groupHeaders),
    extra: lower(options.extraHeaderPrefixes),
  };
  const { allowedNames, now, pool } = options;
  return {
    name: "request-header",
    authenticate(request) {
      const certificate = verifiedCertificateOf(request.connection, pool(), now());
      if (certificate === undefined) return undefined;
      const { commonName } = certificate.subject;
      if (allowedNames.length > 0 && !allowedNames.includes(commonName)) {
        throw new CertificateRefused(
          `x509: subject with cn=${commonName} is not in the allowed list`,
        );
      }
      const name = firstValue(request, names.username);
      if (name === "") return undefined;
      return {
        user: {
          name,
          uid: firstValue(request, names.uid),
          groups: names.groups.flatMap((header) => request.headerValues(header)),
          extra: extraOf(request, names.extra),
        },
      };
    },
  };
}

/** The first value of the first header that has one. */
function firstValue(request: ReceivedRequest, headers: readonly string[]): string {
  for (const header of headers) {
    const value = request.headerValues(header)[0] ?? "";
    if (value !== "") return value;
  }
  return "";
}

function extraOf(request: ReceivedRequest, prefixes: readonly string[]) {
  const extra: Record<string, string[]> = Object.create(null) as Record<string, string[]>;
  for (const prefix of prefixes) {
    for (const header of request.headers.keys()) {
      if (!header.startsWith(prefix)) continue;
      const key = unescapeKey(header.slice(prefix.length));
      extra[key] = [...(extra[key] ?? []), ...request.headerValues(header)];
    }
  }
  return { ...extra };
}

/** Header names can not hold every character; a bad escape stays as it is. */
export function unescapeKey(escaped: string): string {
  try {
    return decodeURIComponent(escaped);
  } catch {
    return escaped;
  }
}
