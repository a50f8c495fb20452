/** What every handler shares: settings, admission, storage. One per front thread. */
import type { AdmissionChain } from "../admission/chain.ts";
import type { Attributes, Operation } from "../admission/plugin.ts";
import * as api from "../apimachinery/api/errors.ts";
import type { KubeObject } from "../apimachinery/meta/types.ts";
import type { GroupVersionKind } from "../apimachinery/runtime/gvk.ts";
import { apiVersionOf } from "../apimachinery/runtime/gvk.ts";
import type { TokenAuthenticator } from "../authentication/authenticator.ts";
import type { Authorizer, RuleResolver } from "../authorization/authorizer.ts";
import type { ServedResource } from "../registry/generic/served-resource.ts";
import type { WriteContext } from "../registry/generic/store.ts";
import type { KubeletClient } from "../request/outgoing/kubelet-client.ts";
import type { AuthorizedRequest } from "../request/request.ts";
import type { Storage } from "../storage/interfaces.ts";

/** `--max-request-bytes` has no flag upstream: 3 MiB for every write. */
export const BODY_BYTES_MAX = 3 * 1024 * 1024;

export interface ApiSettings {
  readonly gate: (name: string) => boolean;
  readonly allowPrivileged: boolean;
  /** `--event-ttl` in seconds. */
  readonly eventTtlSeconds: number;
  /** `--min-request-timeout` in seconds: watches end at random in [n, 2n). */
  readonly minRequestTimeoutSeconds: number;
  /** `--delete-collection-workers`. */
  readonly deleteCollectionWorkers: number;
}

/** Issues ServiceAccount tokens; undefined on the context when no signing key is configured. */
export interface TokenIssuer {
  /** Longer wishes are cut, with a warning; 0 or absent: no limit. */
  readonly maxExpirationSeconds?: number;
  issue(
    serviceAccount: KubeObject,
    tokenRequest: KubeObject,
    bound: { readonly pod?: KubeObject; readonly secret?: KubeObject; readonly node?: KubeObject },
  ): Promise<{
    readonly token: string;
    readonly expirationTimestamp: string;
    /** For the audit event. */
    readonly credentialId?: string;
  }>;
}

export interface ApiContext {
  readonly settings: ApiSettings;
  readonly admission: AdmissionChain;
  readonly authorizer: Authorizer;
  readonly ruleResolver: RuleResolver | undefined;
  readonly tokenAuthenticator: TokenAuthenticator | undefined;
  readonly tokenIssuer: TokenIssuer | undefined;
  readonly apiAudiences: readonly string[];
  /** Undefined: this server reaches no kubelets. */
  readonly kubelet: KubeletClient | undefined;
  /** Rejects when the store does not answer in time. */
  readonly storeHealth: (timeoutMs: number) => Promise<void>;
  /** A served resource in its storage version, whatever group version asks. */
  readonly resourceOf: (group: string, resource: string) => ServedResource | undefined;
  readonly now: () => Date;
}

/** A handler's surroundings: the shared context and the resource it is for. */
export interface RequestScope {
  readonly api: ApiContext;
  readonly resource: ServedResource;
}

export function namespaceOf(request: AuthorizedRequest, resource: ServedResource): string {
  return resource.namespaced ? request.info.namespace : "";
}

/** The strategy's and store's view of this request. */
export function writeContext(
  { api: shared, resource }: RequestScope,
  request: AuthorizedRequest,
  dryRun: boolean,
): WriteContext {
  const isEvent = resource.groupResource.resource === "events" && resource.storage !== undefined;
  const keepsTtl =
    isEvent && (resource.kind.group === "" || resource.kind.group === "events.k8s.io");
  return {
    user: request.user,
    namespace: namespaceOf(request, resource),
    requestApiVersion: apiVersionOf(resource.kind),
    subresource: request.info.subresource,
    dryRun,
    gate: shared.settings.gate,
    allowPrivileged: shared.settings.allowPrivileged,
    now: shared.now,
    storage: (group, plural): Storage | undefined => shared.resourceOf(group, plural)?.storage,
    addWarning: (text) => void request.warnings.add(text),
    signal: request.signal,
    ...(keepsTtl ? { ttlSeconds: shared.settings.eventTtlSeconds } : {}),
  };
}

export interface AttributesInput {
  readonly operation: Operation;
  readonly object: KubeObject;
  readonly oldObject: KubeObject | undefined;
  readonly options: KubeObject;
  readonly dryRun: boolean;
  readonly name: string;
  /** Of the object, where the request names none (deletecollection over all namespaces). */
  readonly namespace?: string;
  /** Of a subresource with a kind of its own. */
  readonly kind?: GroupVersionKind;
}

/** What admission plugins are told. */
export function attributesOf(
  { resource }: RequestScope,
  request: AuthorizedRequest,
  input: AttributesInput,
): Attributes {
  // Member by member: a spread of inputs of several shapes is many times slower.
  return {
    operation: input.operation,
    object: input.object,
    oldObject: input.oldObject,
    options: input.options,
    dryRun: input.dryRun,
    name: input.name,
    kind: input.kind ?? resource.kind,
    resource: resource.gvr,
    subresource: request.info.subresource,
    namespace: input.namespace ?? namespaceOf(request, resource),
    user: request.user,
    addWarning: (text) => void request.warnings.add(text),
    addAnnotation: (key, value) => void request.auditAnnotations.set(key, value),
  };
}

/** Sets or checks metadata.namespace against the URL's. Upstream: EnsureObjectNamespaceMatches... */
export function ensureNamespace(object: KubeObject, resource: ServedResource, namespace: string) {
  object.metadata ??= {};
  if (!resource.namespaced) {
    delete object.metadata.namespace;
    return;
  }
  if (!object.metadata.namespace) object.metadata.namespace = namespace;
  if (object.metadata.namespace !== namespace) {
    throw api.badRequest(
      "the namespace of the provided object does not match the namespace sent on the request",
    );
  }
}

/** The body's name must be the URL's. Upstream: handlers/rest.go checkName. */
export function checkName(object: KubeObject, name: string, resource: ServedResource, ns: string) {
  const found = object.metadata?.name ?? "";
  if (found === "") {
    throw api.badRequest(
      `the name of the object (${name} based on URL) was undeterminable: name must be provided`,
    );
  }
  if (found !== name) {
    throw api.badRequest(
      `the name of the object (${found}) does not match the name on the URL (${name})`,
    );
  }
  const namespace = object.metadata?.namespace ?? "";
  if (resource.namespaced && namespace !== "" && namespace !== ns) {
    throw api.badRequest(
      `the namespace of the object (${namespace}) does not match the namespace on the request (${ns})`,
    );
  }
}
