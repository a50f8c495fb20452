/**
 * POST to a collection. Mutating plugins see the object as decoded; the registry then fills in its
 * metadata and runs the strategy's validation; validating plugins see what will be stored.
 * The order is upstream's (handlers/create.go, then registry/store.go); webhooks can observe it.
 */
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import { apiVersionOf } from "../../apimachinery/runtime/gvk.ts";
import { createObject, type Written, wipeSystemFields } from "../../registry/generic/store.ts";
import type { AuthorizedRequest, Handler, Response } from "../../request/request.ts";
import {
  attributesOf,
  BODY_BYTES_MAX,
  ensureNamespace,
  namespaceOf,
  type RequestScope,
  writeContext,
} from "../api-context.ts";
import { decodeBody } from "../body.ts";
import { admitKeepingOwners, fieldManagerFor } from "../managed-fields.ts";
import { contentTypeOf, type Negotiated, negotiate } from "../negotiation.ts";
import { managerOf, parseWriteOptions, type WriteOptions } from "../options.ts";
import { dedupOwnerReferences } from "../owner-references.ts";
import { OBJECT_TRANSFORMATIONS, respondObject, respondStored } from "../respond.ts";
import { mediaTypesOf } from "./media-types.ts";

export function createResource(scope: RequestScope): Handler {
  const { resource } = scope;
  const mediaTypes = mediaTypesOf(resource);
  return async (request) => {
    const namespace = namespaceOf(request, resource);
    const negotiated = negotiate(request, { mediaTypes, transformations: OBJECT_TRANSFORMATIONS });
    const bytes = await request.body(BODY_BYTES_MAX);
    const options = parseWriteOptions(request.query, "CreateOptions");
    const mediaType = contentTypeOf(request, mediaTypes);
    const object = decodeBody(request, bytes, mediaType, resource, options.fieldValidation);
    resource.setDefaults(object);
    ensureNamespace(object, resource, namespace);

    const written = await createDecoded(scope, request, object, options);

    return respondWritten(request, scope, negotiated, 201, written);
  };
}

/** The part of a create after decoding; apply and create-on-update come here too. */
export async function createDecoded(
  scope: RequestScope,
  request: AuthorizedRequest,
  object: KubeObject,
  options: WriteOptions,
): Promise<Written> {
  const { resource, api: shared } = scope;
  wipeSystemFields(object);
  dedupOwnerReferences(request, object);
  const manager = managerOf(options.fieldManager, request);
  const managed = fieldManagerFor(resource, "").created(object, manager);
  const stored = resource.toStorage(managed);
  const attributes = (of: KubeObject) =>
    attributesOf(scope, request, {
      operation: "CREATE",
      object: of,
      oldObject: undefined,
      options: optionsObject("CreateOptions", request, options),
      dryRun: options.dryRun,
      name: object.metadata?.name ?? "",
    });
  await admitKeepingOwners(
    stored,
    (text) => void request.warnings.add(text),
    () => shared.admission.admit(attributes(stored)),
  );
  resource.setStorageDefaults(stored);
  dedupOwnerReferences(request, stored);
  const context = writeContext(scope, request, options.dryRun);
  return createObject(resource, context, stored, (prepared) =>
    shared.admission.validate(attributes(prepared)),
  );
}

/** CreateOptions and the like as an object, for admission. */
export function optionsObject(
  kind: string,
  request: AuthorizedRequest,
  options: WriteOptions,
): KubeObject {
  const asked = request.query;
  return {
    kind,
    apiVersion: apiVersionOf({ group: "meta.k8s.io", version: "v1" }),
    ...(options.dryRun ? { dryRun: ["All"] } : {}),
    ...(options.fieldManager === "" ? {} : { fieldManager: options.fieldManager }),
    ...(asked.has("fieldValidation") ? { fieldValidation: options.fieldValidation } : {}),
  };
}

export function respondWritten(
  request: AuthorizedRequest,
  { resource }: RequestScope,
  negotiated: Negotiated,
  status: number,
  { object, stored }: Written,
): Response {
  if (stored !== undefined) return respondStored(request, resource, negotiated, status, stored);
  return respondObject(request, resource, negotiated, status, object);
}
