/**
 * POST serviceaccounts/{name}/token: a token for the account, bound to a time and to an object.
 * Upstream: pkg/registry/core/serviceaccount/storage/token.go.
 */
import * as api from "../../apimachinery/api/errors.ts";
import { type KubeObject, metadataOf } from "../../apimachinery/meta/types.ts";
import { parseApiVersion } from "../../apimachinery/runtime/gvk.ts";
import * as field from "../../apimachinery/validation/field.ts";
import { setTokenRequestDefaults } from "../../apis/authentication/v1/defaults.ts";
import type { BoundObjectReference, TokenRequestSpec } from "../../apis/authentication/v1/types.ts";
import { validateTokenRequest } from "../../apis/authentication/v1/validation.ts";
import { schemaForKind } from "../../apis/schemas.ts";
import { decodeStored } from "../../registry/generic/object-codec.ts";
import { type ServedResource, storageName } from "../../registry/generic/served-resource.ts";
import { secondsOf, storageOf } from "../../registry/generic/store.ts";
import type { AuthorizedRequest, Handler } from "../../request/request.ts";
import {
  type ApiContext,
  attributesOf,
  BODY_BYTES_MAX,
  ensureNamespace,
  type RequestScope,
} from "../api-context.ts";
import { decodeBody } from "../body.ts";
import { optionsObject } from "../handlers/create.ts";
import { mediaTypesOf } from "../handlers/media-types.ts";
import { fieldManagerFor } from "../managed-fields.ts";
import { contentTypeOf, negotiate } from "../negotiation.ts";
import { managerOf, parseWriteOptions } from "../options.ts";
import { METADATA_TRANSFORMATIONS, respondEncoded, respondMetadata } from "../respond.ts";

const KIND = { group: "authentication.k8s.io", version: "v1", kind: "TokenRequest" };

interface TokenRequest extends KubeObject {
  spec?: TokenRequestSpec;
  status?: { token: string; expirationTimestamp: string };
}

export function createToken(scope: RequestScope): Handler {
  const { api: shared, resource } = scope;
  const offer = { mediaTypes: mediaTypesOf(resource), transformations: METADATA_TRANSFORMATIONS };
  const target = tokenResource(resource);
  return async (request) => {
    const negotiated = negotiate(request, offer);
    const bytes = await request.body(BODY_BYTES_MAX);
    const options = parseWriteOptions(request.query, "CreateOptions");
    const mediaType = contentTypeOf(request, offer.mediaTypes);
    const body = decodeBody(request, bytes, mediaType, target, options.fieldValidation);
    target.setDefaults(body);
    const { namespace, name } = request.info;
    ensureNamespace(body, resource, namespace);
    const manager = managerOf(options.fieldManager, request);
    const asked = fieldManagerFor(target, "token").created(body, manager) as TokenRequest;
    const attributes = attributesOf(scope, request, {
      operation: "CREATE",
      object: asked,
      oldObject: undefined,
      options: optionsObject("CreateOptions", request, options),
      dryRun: options.dryRun,
      name,
      kind: KIND,
    });
    await shared.admission.admit(attributes);
    const account = await prepare(shared, asked, namespace, name);
    await shared.admission.validate(attributes);

    await fillStatus(shared, request, asked, account);

    if (negotiated.as !== undefined) {
      return respondMetadata(request, resource, negotiated, 201, asked);
    }
    return respondEncoded(request, negotiated, 201, asked, target.schema, KIND);
  };
}

/** TokenRequest as if it were a resource, for decoding and field ownership. */
function tokenResource(resource: ServedResource): ServedResource {
  const schema = schemaForKind(KIND);
  if (schema === undefined) throw new Error("no schema for TokenRequest");
  const defaults = (object: KubeObject) => setTokenRequestDefaults(object as TokenRequest);
  return {
    ...resource,
    kind: KIND,
    storageKind: KIND,
    schema,
    storageSchema: schema,
    strategy: { validateName: () => [], validate: () => [], validateUpdate: () => [] },
    hooks: undefined,
    setDefaults: defaults,
    setStorageDefaults: defaults,
    toStorage: (object) => object,
    fromStorage: (object) => object,
  };
}

/** Checks the request against its account, fills in what it leaves out, returns the account. */
async function prepare(
  shared: ApiContext,
  asked: TokenRequest,
  namespace: string,
  name: string,
): Promise<KubeObject> {
  const metadata = metadataOf(asked);
  if (metadata.name && metadata.name !== name) {
    const detail = "must match the service account name if specified";
    throw api.invalid(KIND, name, [field.invalid("metadata.name", metadata.name, detail)]);
  }
  const account = await fetchObject(shared, "serviceaccounts", namespace, name);
  const uid = account.metadata?.uid ?? "";
  if (metadata.uid && metadata.uid !== uid) {
    throw conflict(
      name,
      KIND.kind,
      `the UID in the token request (${metadata.uid}) does not match the UID of the service account (${uid})`,
      KIND.group,
    );
  }
  const spec = asked.spec ?? {};
  asked.spec = spec;
  if ((spec.audiences ?? []).length === 0) spec.audiences = [...shared.apiAudiences];
  metadata.name = name;
  metadata.namespace = namespace;
  metadata.uid = uid;
  metadata.creationTimestamp = secondsOf(shared.now());
  delete asked.status;
  const errors = validateTokenRequest(asked);
  if (errors.length > 0) throw api.invalid(KIND, "", errors);
  return account;
}

async function fillStatus(
  shared: ApiContext,
  request: AuthorizedRequest,
  asked: TokenRequest,
  account: KubeObject,
): Promise<void> {
  const issuer = shared.tokenIssuer;
  if (issuer === undefined) throw api.noSuchPath();
  const { spec = {} } = asked;
  const bound = spec.boundObjectRef ? await boundObjects(shared, spec.boundObjectRef, account) : {};
  const { maxExpirationSeconds: max = 0 } = issuer;
  const seconds = spec.expirationSeconds ?? 0;
  if (max > 0 && seconds > max) {
    request.warnings.add(`requested expiration of ${seconds} seconds shortened to ${max} seconds`);
    spec.expirationSeconds = max;
  }
  const { token, expirationTimestamp, credentialId } = await issuer.issue(account, asked, bound);
  asked.status = { token, expirationTimestamp };
  if (credentialId === undefined) return;
  request.auditAnnotations.set("authentication.kubernetes.io/issued-credential-id", credentialId);
}

interface Pod extends KubeObject {
  readonly spec?: { readonly serviceAccountName?: string; readonly nodeName?: string };
}
interface Bound {
  readonly pod?: KubeObject;
  readonly secret?: KubeObject;
  readonly node?: KubeObject;
}

async function boundObjects(
  shared: ApiContext,
  reference: BoundObjectReference,
  account: KubeObject,
): Promise<Bound> {
  const { kind = "", apiVersion = "", name = "", uid = "" } = reference;
  const { namespace = "", name: accountName = "" } = account.metadata ?? {};
  const parsed = parseApiVersion(apiVersion) ?? { group: "", version: "" };
  const isCore = parsed.group === "";
  const check = (object: KubeObject) => {
    if (uid === "" || object.metadata?.uid === uid) return;
    const why = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
    throw conflict(name, kind, why, parsed.group);
  };
  if (isCore && kind === "Pod") {
    const pod = (await fetchObject(shared, "pods", namespace, name)) as Pod;
    if (pod.spec?.serviceAccountName !== accountName) {
      throw api.badRequest(
        `cannot bind token for serviceaccount ${field.quote(accountName)} to pod running with different serviceaccount name.`,
      );
    }
    check(pod);
    const node = await nodeOf(shared, pod);
    return node === undefined ? { pod } : { pod, node };
  }
  if (isCore && kind === "Node") {
    const node = await fetchObject(shared, "nodes", "", name);
    check(node);
    return { node };
  }
  if (isCore && kind === "Secret") {
    const secret = await fetchObject(shared, "secrets", namespace, name);
    check(secret);
    return { secret };
  }
  const gvk = `${parsed.group}/${parsed.version}, Kind=${kind}`;
  throw api.badRequest(`cannot bind token to object of type ${gvk}`);
}

/** The pod's node; only its name when the Node object is gone. */
async function nodeOf(shared: ApiContext, pod: Pod): Promise<KubeObject | undefined> {
  const name = pod.spec?.nodeName ?? "";
  if (name === "") return undefined;
  try {
    return await fetchObject(shared, "nodes", "", name);
  } catch (error) {
    if (error instanceof api.StatusError && error.reason === "NotFound") {
      return { metadata: { name } };
    }
    throw error;
  }
}

async function fetchObject(
  shared: ApiContext,
  plural: string,
  namespace: string,
  name: string,
): Promise<KubeObject> {
  const resource = shared.resourceOf("", plural);
  if (resource === undefined) throw api.notFound({ group: "", resource: plural }, name);
  const key = storageName(resource, namespace, name);
  const stored = await storageOf(resource).get(key, { kind: "MostRecent" });
  if (stored === undefined) throw api.notFound(resource.groupResource, name);
  return decodeStored(stored, resource.storageSchema);
}

/** Upstream names the kind where other conflicts name the resource. */
function conflict(name: string, kind: string, why: string, group: string): api.StatusError {
  return api.conflict({ group, resource: kind }, name, why);
}
