/**
 * Who asks, and what they may: authenticators and authorizers as the flags say, for one front
 * thread. Upstream: pkg/kubeapiserver/authenticator/config.go, pkg/kubeapiserver/authorizer/config.go.
 */
import type { AdmissionPlugin } from "./admission/plugin.ts";
import type { MaySigner } from "./admission/plugins/certificates.ts";
import type { Auditor } from "./audit/auditor.ts";
import type { Authenticator, TokenAuthenticator } from "./authentication/authenticator.ts";
import { basicAuthenticator, PasswordFileError } from "./authentication/basic-auth.ts";
import {
  bearerTokenAuthenticator,
  webSocketTokenAuthenticator,
} from "./authentication/bearer-token.ts";
import { requestHeaderAuthenticator } from "./authentication/request-header.ts";
import {
  type AnonymousRule,
  createAuthenticate,
  unionOf,
  withAuthenticatedGroup,
} from "./authentication/union.ts";
import { CertificatePool } from "./authentication/x509/certificate-pool.ts";
import { organizationsOf } from "./authentication/x509/certificate-request.ts";
import { x509Authenticator } from "./authentication/x509/x509.ts";
import type { Authorizer } from "./authorization/authorizer.ts";
import { createImpersonate } from "./authorization/impersonation.ts";
import type { ApiDependencies } from "./endpoints/api.ts";
import type { TokenIssuer } from "./endpoints/api-context.ts";
import { issuerPaths, serviceAccountKeys, tokenIssuer } from "./gates-accounts.ts";
import { createAudit } from "./gates-audit.ts";
import { createAuthorizers } from "./gates-authorizers.ts";
import type { GatesConfig } from "./gates-config.ts";
import { createTokenAuthenticators } from "./gates-tokens.ts";
import { FeatureGates } from "./options/feature-gates.ts";
import { rbacEscalationCheck } from "./registry/rbac/escalation.ts";
import type { PathTable } from "./server/system-paths.ts";
import { ConfigError, type LoadedFiles, readConfigFile } from "./settings.ts";

export interface Gates
  extends Pick<ApiDependencies, "authenticate" | "impersonate" | "authorizer" | "apiAudiences"> {
  readonly ruleResolver: NonNullable<ApiDependencies["ruleResolver"]>;
  readonly tokenAuthenticator: TokenAuthenticator;
  readonly tokenIssuer?: TokenIssuer;
  /** The issuer's metadata and keys. */
  readonly paths: PathTable;
  readonly maySigner: MaySigner;
  readonly organizationsOf: (certificateRequest: string) => readonly string[];
  /** Admission that no flag turns off. */
  readonly always: readonly AdmissionPlugin[];
  /** Undefined: nothing is audited. */
  readonly audit?: Auditor;
  /** Resolves once authorizers have read what they decide by. */
  readonly synced: Promise<void>;
  /** Takes up changed authorities. */
  reload(authorities: Pick<LoadedFiles, "clientCa" | "requestHeaderCa">): void;
  close(): Promise<void>;
}

/** Throws ConfigError for a file that can not be used. */
export function createGates(config: GatesConfig): Gates {
  const { options, files, log } = config;
  const { flags } = options;
  const features = new FeatureGates(options.featureGateOverrides);
  const apiAudiences = flags["api-audiences"].length > 0 ? flags["api-audiences"] : files.issuers;
  const keys = serviceAccountKeys(config);
  const authorizers = createAuthorizers(config);
  const tokens = createTokenAuthenticators(config, apiAudiences, keys);

  const certificates = certificateAuthenticators(config, (name) => features.gate(name));
  const authenticators: Authenticator[] = [
    ...certificates.authenticators,
    ...passwords(config),
    bearerTokenAuthenticator(tokens.authenticator, apiAudiences),
    webSocketTokenAuthenticator(tokens.authenticator, apiAudiences),
  ];
  const audit = createAudit(config);
  const { authorizer, resolver } = authorizers;
  const rbac = authorizers.rbac;
  const anonymous = anonymousRule(config, authorizers.modes);
  const issuer = tokenIssuer(config, apiAudiences, keys);
  return {
    authenticate: createAuthenticate(
      unionOf(authenticators),
      () => anonymous(tokens.anonymous()),
      ({ info }, error) =>
        log.info("Unable to authenticate the request", { path: info.path, err: textOf(error) }, 2),
    ),
    impersonate: createImpersonate(authorizer, features.gate("ConstrainedImpersonation")),
    authorizer,
    ruleResolver: resolver,
    tokenAuthenticator: reviewed(tokens.authenticator),
    ...(issuer === undefined ? {} : { tokenIssuer: issuer }),
    apiAudiences,
    paths: issuerPaths(config, keys),
    maySigner: signerPermission(authorizer),
    organizationsOf,
    always: [rbacEscalationCheck(rbac, authorizer) as unknown as AdmissionPlugin],
    ...(audit === undefined ? {} : { audit }),
    synced: authorizers.synced,
    reload: certificates.reload,
    close: async () => {
      authorizers.close();
      tokens.close();
      config.signer?.close();
      await audit?.close();
    },
  };
}

/** Front proxies first, then client certificates; only where an authority for them is named. */
function certificateAuthenticators(
  { options, files }: GatesConfig,
  gate: (name: string) => boolean,
): { readonly authenticators: readonly Authenticator[]; readonly reload: Gates["reload"] } {
  const { flags } = options;
  let clientPool = new CertificatePool(files.clientCa);
  let proxyPool = new CertificatePool(files.requestHeaderCa);
  const authenticators: Authenticator[] = [];
  if (files.requestHeaderCa !== "") {
    authenticators.push(
      requestHeaderAuthenticator({
        pool: () => proxyPool,
        allowedNames: flags["requestheader-allowed-names"],
        usernameHeaders: flags["requestheader-username-headers"],
        uidHeaders: gate("RemoteRequestHeaderUID") ? flags["requestheader-uid-headers"] : [],
        groupHeaders: flags["requestheader-group-headers"],
        extraHeaderPrefixes: flags["requestheader-extra-headers-prefix"],
        now: Date.now,
      }),
    );
  }
  if (files.clientCa !== "") {
    const readsUid = gate("AllowParsingUserUIDFromCertAuth");
    authenticators.push(x509Authenticator({ pool: () => clientPool, readsUid, now: Date.now }));
  }
  return {
    authenticators,
    reload(authorities) {
      clientPool = new CertificatePool(authorities.clientCa);
      proxyPool = new CertificatePool(authorities.requestHeaderCa);
    },
  };
}

/** Off unless a file is named. */
function passwords({ options, log }: GatesConfig): readonly Authenticator[] {
  const path = options.flags["basic-auth-file"];
  if (path === "") return [];
  log.warning("Passwords are legacy: prefer client certificates or tokens", { file: path });
  try {
    return [basicAuthenticator(readConfigFile("--basic-auth-file", path))];
  } catch (error) {
    if (!(error instanceof PasswordFileError)) throw error;
    throw new ConfigError(`--basic-auth-file: ${path}: ${error.message}`);
  }
}

function signerPermission(authorizer: Authorizer): MaySigner {
  return async (user, verb, signerName) => {
    const { decision } = await authorizer.authorize({
      user,
      verb,
      resourceRequest: true,
      apiGroup: "certificates.k8s.io",
      apiVersion: "*",
      namespace: "",
      resource: "signers",
      subresource: "",
      name: signerName,
      path: "",
    });
    return decision === "Allow";
  };
}

/** Under AlwaysAllow nothing would hold anonymous requests back, so they are off. */
function anonymousRule(
  { options, log }: GatesConfig,
  modes: readonly string[],
): (configured: AnonymousRule | undefined) => AnonymousRule {
  const ofFlags = { enabled: options.flags["anonymous-auth"] };
  if (!modes.includes("AlwaysAllow")) return (configured) => configured ?? ofFlags;
  if (ofFlags.enabled) {
    log.warning(
      "AnonymousAuth is not allowed with the AlwaysAllow authorizer. Resetting AnonymousAuth to false. You should use a different authorizer",
    );
  }
  return () => ({ enabled: false });
}

/** As TokenReview sees it: a token nobody knows is an error. */
function reviewed(tokens: TokenAuthenticator): TokenAuthenticator {
  return {
    name: "token-review",
    async authenticateToken(token, audiences) {
      const found = await tokens.authenticateToken(token.trim(), audiences);
      if (found === undefined) throw new Error("invalid bearer token");
      return { ...found, user: withAuthenticatedGroup(found.user) };
    },
  };
}

const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
