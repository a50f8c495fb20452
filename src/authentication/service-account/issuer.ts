/** Issues bound service account tokens. Upstream: pkg/serviceaccount/claims.go Claims. */
import { randomUUID } from "node:crypto";
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import { serviceAccountUserName } from "./names.ts";

/** What pods' projected tokens ask for: such tokens live on, and warn, while clients learn to renew. */
const WARN_ONLY_SECONDS = 60 * 60 + 7;
/** How long an extended one lives at most. */
export const EXTENDED_SECONDS = 365 * 24 * 60 * 60;

export interface IssuerOptions {
  /** Makes a token of its claims, which stay in their order. */
  readonly sign: (claims: Readonly<Record<string, unknown>>) => Promise<string>;
  /** The `iss` claim. */
  readonly issuer: string;
  readonly apiAudiences: readonly string[];
  /** `--service-account-extend-token-expiration`. */
  readonly extendsExpiration: boolean;
  /** `--service-account-max-token-expiration`; 0: no limit. */
  readonly maxExpirationSeconds: number;
  /** The most that an extended token may live; a year when absent. */
  readonly maxExtendedSeconds?: number;
  readonly now?: () => Date;
}

interface TokenRequestObject extends KubeObject {
  readonly spec?: { readonly audiences?: readonly string[]; readonly expirationSeconds?: number };
}
interface Bound {
  readonly pod?: KubeObject;
  readonly secret?: KubeObject;
  readonly node?: KubeObject;
}

export interface IssuedToken {
  readonly token: string;
  /** RFC3339, when the token was asked to expire; a pod's token may be good for longer. */
  readonly expirationTimestamp: string;
  readonly credentialId: string;
}

export interface ServiceAccountIssuer {
  readonly maxExpirationSeconds: number;
  issue(account: KubeObject, request: KubeObject, bound: Bound): Promise<IssuedToken>;
}

/** `request.spec` has its audiences and its expiration, already within bounds. */
export function createIssuer(options: IssuerOptions): ServiceAccountIssuer {
  const { sign, issuer, apiAudiences, extendsExpiration, maxExpirationSeconds } = options;
  const extendedSeconds = Math.min(
    EXTENDED_SECONDS,
    options.maxExtendedSeconds ?? EXTENDED_SECONDS,
  );
  const now = options.now ?? (() => new Date());
  return {
    maxExpirationSeconds,
    async issue(account, request, bound) {
      const { audiences = [], expirationSeconds = 3600 } =
        (request as TokenRequestObject).spec ?? {};
      const issuedAt = Math.floor(now().getTime() / 1000);
      const isForUs = audiences.every((one) => apiAudiences.includes(one));
      const extended =
        extendsExpiration &&
        bound.pod !== undefined &&
        expirationSeconds === WARN_ONLY_SECONDS &&
        isForUs;
      const jti = randomUUID();
      const { namespace = "", name = "" } = account.metadata ?? {};
      const token = await sign({
        aud: audiences,
        exp: issuedAt + (extended ? extendedSeconds : expirationSeconds),
        iat: issuedAt,
        iss: issuer,
        jti,
        "kubernetes.io": {
          namespace,
          ...(bound.node === undefined ? {} : { node: reference(bound.node) }),
          ...(bound.pod === undefined ? {} : { pod: reference(bound.pod) }),
          ...(bound.secret === undefined ? {} : { secret: reference(bound.secret) }),
          serviceaccount: reference(account),
          ...(extended ? { warnafter: issuedAt + expirationSeconds } : {}),
        },
        nbf: issuedAt,
        sub: serviceAccountUserName(namespace, name),
      }).catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        throw new Error(`failed to generate token: ${why}`, { cause: error });
      });
      const expires = new Date((issuedAt + expirationSeconds) * 1000);
      const expirationTimestamp = expires.toISOString().replace(/\.\d+Z$/, "Z");
      return { token, expirationTimestamp, credentialId: `JTI=${jti}` };
    },
  };
}

function reference({ metadata = {} }: KubeObject) {
  const { name = "", uid = "" } = metadata;
  return { ...(name === "" ? {} : { name }), ...(uid === "" ? {} : { uid }) };
}
