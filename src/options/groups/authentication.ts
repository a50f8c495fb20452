/** Upstream: pkg/kubeapiserver/options/authentication.go. */
import { bool, duration, string, stringArray, stringMap, strings } from "../flag-spec.ts";

export const authenticationFlags = {
  "anonymous-auth": bool(
    true,
    "Let requests without credentials in as system:anonymous of the group system:unauthenticated.",
  ),
  "api-audiences": strings(
    [],
    "Audiences that tokens must be for. Empty: --service-account-issuer.",
  ),
  "authentication-config": string(
    "",
    "File with an AuthenticationConfiguration; excludes the --oidc flags.",
  ),
  "authentication-token-webhook-cache-ttl": duration(
    "2m0s",
    "How long the webhook's answers hold.",
  ),
  "authentication-token-webhook-config-file": string("", "kubeconfig of the token webhook."),
  "authentication-token-webhook-version": string("v1beta1", "Version of TokenReview it is sent."),
  "client-ca-file": string(
    "",
    "CAs whose client certificates authenticate: the common name is the user, organizations are groups. Re-read when it changes.",
  ),
  "enable-bootstrap-token-auth": bool(
    false,
    "Accept bootstrap tokens: secrets of type bootstrap.kubernetes.io/token in kube-system.",
  ),
  "oidc-ca-file": string("", "CA of the OpenID issuer. Empty: the system's."),
  "oidc-client-id": string("", "Client that ID tokens must be issued for."),
  "oidc-groups-claim": string("", "Claim that holds the user's groups."),
  "oidc-groups-prefix": string("", "Prefix of group names from the claim."),
  "oidc-issuer-url": string("", "https URL of the OpenID issuer."),
  "oidc-required-claim": stringMap(
    "mapStringString",
    "claim=value that ID tokens must have. Repeatable.",
  ),
  "oidc-signing-algs": strings(["RS256"], "Accepted signature algorithms."),
  "oidc-username-claim": string("sub", "Claim that holds the user's name."),
  "oidc-username-prefix": string(
    "",
    "Prefix of user names. Empty: the issuer and #, unless the claim is email; -: none.",
  ),
  "requestheader-allowed-names": strings(
    [],
    "Common names of proxies that may name users in headers. Empty: any certificate of the CA below.",
  ),
  "requestheader-client-ca-file": string("", "CA of those proxies' client certificates."),
  "requestheader-extra-headers-prefix": strings([], "Prefixes of headers with extra user data."),
  "requestheader-group-headers": strings([], "Headers to read groups from."),
  "requestheader-uid-headers": strings([], "Headers to read the user's UID from."),
  "requestheader-username-headers": strings([], "Headers to read the user's name from."),
  "service-account-extend-token-expiration": bool(
    true,
    "Let tokens that pods were given live on when their clients do not renew them in time.",
  ),
  "service-account-issuer": stringArray(
    [],
    "Issuer of service account tokens; the first signs, all are accepted. Repeatable.",
  ),
  "service-account-jwks-uri": string("", "URI of the keys in the OpenID discovery document."),
  "service-account-key-file": stringArray(
    [],
    "PEM keys that service account tokens are checked with. Repeatable. Empty: --tls-private-key-file.",
  ),
  "service-account-lookup": bool(true, "Refuse tokens whose service account or secret is gone."),
  "service-account-max-token-expiration": duration("0s", "Longest life of tokens; 0: no limit."),
  "basic-auth-file": string(
    "",
    'Legacy: CSV file of passwords: password,user,uid,"group,group". Prefer certificates or tokens.',
  ),
  "token-auth-file": string("", 'CSV file of static tokens: token,user,uid,"group,group".'),
};
