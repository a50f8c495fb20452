/** Client certificates. Upstream: apiserver/pkg/authentication/request/x509. */
import { metrics } from "../../metrics/registry.ts";
import type { UserInfo } from "../../request/user-info.ts";
import type { Authenticated, Authenticator } from "../authenticator.ts";
import { CREDENTIAL_ID_KEY } from "../extra-keys.ts";
import type { ParsedCertificate } from "./certificate.ts";
import type { CertificatePool } from "./certificate-pool.ts";
import { verifiedCertificateOf } from "./connection-certificates.ts";

const HOUR_S = 3600;
const DAY_S = 24 * HOUR_S;
const expiration = metrics
  .histogram({
    name: "apiserver_client_certificate_expiration_seconds",
    help: "Distribution of the remaining lifetime on the certificate used to authenticate a request.",
    buckets: [
      ...[0, HOUR_S / 2, HOUR_S, 2 * HOUR_S, 6 * HOUR_S, 12 * HOUR_S],
      ...[1, 2, 4, 7, 30, 90, 180, 360].map((days) => days * DAY_S),
    ],
  })
  .bind();

const OID_UID = "1.3.6.1.4.1.57683.2";

export interface X509Options {
  /** The pool in force, a new one after --client-ca-file changed. */
  pool(): CertificatePool;
  /** Gate AllowParsingUserUIDFromCertAuth. */
  readonly readsUid: boolean;
  readonly now: () => number;
}

/** The user is the common name, the groups are the organizations. */
export function x509Authenticator({ pool, readsUid, now }: X509Options): Authenticator {
  const users = new WeakMap<ParsedCertificate, Authenticated>();
  return {
    name: "x509",
    authenticate({ connection }) {
      const at = now();
      const certificate = verifiedCertificateOf(connection, pool(), at);
      if (certificate === undefined) return undefined;
      expiration((certificate.notAfter - at) / 1000);
      let authenticated = users.get(certificate);
      if (authenticated === undefined) {
        const user = userOf(certificate, readsUid);
        if (user === undefined) return undefined;
        authenticated = { user };
        users.set(certificate, authenticated);
      }
      return authenticated;
    },
  };
}

/** Undefined without a common name; throws for a certificate with several UIDs or an empty one. */
function userOf({ subject, fingerprint }: ParsedCertificate, readsUid: boolean) {
  if (subject.commonName === "") return undefined;
  const user: UserInfo = {
    name: subject.commonName,
    uid: readsUid ? uidOf(subject.attributes) : "",
    groups: subject.organizations,
    extra: { [CREDENTIAL_ID_KEY]: [`X509SHA256=${fingerprint}`] },
  };
  return user;
}

function uidOf(attributes: ParsedCertificate["subject"]["attributes"]): string {
  const uids = attributes.filter(({ oid }) => oid === OID_UID);
  const [first] = uids;
  if (first === undefined) return "";
  if (uids.length > 1) throw new Error("expected 1 UID, but found multiple");
  if (first.value === "") throw new Error("UID cannot be an empty string");
  return first.value;
}
