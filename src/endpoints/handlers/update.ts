/** PUT of an object or a subresource. Upstream: handlers/update.go. */

import type { KubeObject } from "../../apimachinery/meta/types.ts";
import { cloneJson } from "../../apimachinery/runtime/clone.ts";
import {
  type ServedResource,
  servesStorageVersion,
} from "../../registry/generic/served-resource.ts";
import { type UpdateResult, type UpdateRules, updateObject } from "../../registry/generic/store.ts";
import type { AuthorizedRequest, Handler } from "../../request/request.ts";
import {
  attributesOf,
  BODY_BYTES_MAX,
  checkName,
  ensureNamespace,
  namespaceOf,
  type RequestScope,
  writeContext,
} from "../api-context.ts";
import { decodeBody } from "../body.ts";
import { admitKeepingOwners, fieldManagerFor, withoutTimeChanges } from "../managed-fields.ts";
import { contentTypeOf, negotiate } from "../negotiation.ts";
import { managerOf, parseWriteOptions, type WriteOptions } from "../options.ts";
import { dedupOwnerReferences } from "../owner-references.ts";
import { OBJECT_TRANSFORMATIONS } from "../respond.ts";
import { optionsObject, respondWritten } from "./create.ts";
import { mediaTypesOf } from "./media-types.ts";

export function updateResource(scope: RequestScope, subresource = ""): Handler {
  const { resource } = scope;
  const mediaTypes = mediaTypesOf(resource);
  return async (request) => {
    const namespace = namespaceOf(request, resource);
    const { name } = request.info;
    const negotiated = negotiate(request, { mediaTypes, transformations: OBJECT_TRANSFORMATIONS });
    const bytes = await request.body(BODY_BYTES_MAX);
    const options = parseWriteOptions(request.query, "UpdateOptions");
    const mediaType = contentTypeOf(request, mediaTypes);
    const object = decodeBody(request, bytes, mediaType, resource, options.fieldValidation);
    resource.setDefaults(object);
    ensureNamespace(object, resource, namespace);
    checkName(object, name, resource, namespace);

    const result = await updateDecoded(scope, request, options, subresource, object);

    return respondWritten(request, scope, negotiated, result.created ? 201 : 200, result);
  };
}

/** The part of a PUT after decoding. */
function updateDecoded(
  scope: RequestScope,
  request: AuthorizedRequest,
  options: WriteOptions,
  subresource: string,
  object: KubeObject,
): Promise<UpdateResult> {
  const { resource } = scope;
  const manager = managerOf(options.fieldManager, request);
  const fields = fieldManagerFor(resource, subresource);
  const uid = object.metadata?.uid;
  return runUpdate(scope, request, options, subresource, uid, "UpdateOptions", (live) => {
    const next = cloneJson(object);
    dedupOwnerReferences(request, next);
    if (live === undefined) return resource.toStorage(fields.created(next, manager));
    return resource.toStorage(fields.updated(live, next, manager));
  });
}

/** Main endpoint: the strategy itself. Subresource: its own rules. */
export function rulesOf({ resource }: RequestScope, subresource: string): UpdateRules {
  const { strategy } = resource;
  const own = strategy.subresources?.[subresource];
  if (subresource !== "" && own !== undefined) {
    return {
      strategy: own,
      allowCreate: false,
      allowUnconditional: own.allowUnconditionalUpdate ?? strategy.allowUnconditionalUpdate ?? true,
    };
  }
  const main = {
    prepareForUpdate: strategy.prepareForUpdate?.bind(strategy) ?? (() => undefined),
    validateUpdate: strategy.validateUpdate.bind(strategy),
    ...(strategy.warningsOnUpdate === undefined
      ? {}
      : { warningsOnUpdate: strategy.warningsOnUpdate.bind(strategy) }),
    ...(strategy.updateMetadataRules === undefined
      ? {}
      : { updateMetadataRules: strategy.updateMetadataRules }),
  };
  return {
    strategy: main,
    allowCreate: strategy.allowCreateOnUpdate ?? false,
    allowUnconditional: strategy.allowUnconditionalUpdate ?? true,
  };
}

/**
 * Runs an update with admission around it. `make` gets the stored object in the request's version,
 * for reading only (undefined when the object is to be created), and returns the new one in the
 * storage version; it may be called again.
 */
export function runUpdate(
  scope: RequestScope,
  request: AuthorizedRequest,
  options: WriteOptions,
  subresource: string,
  uid: string | undefined,
  optionsKind: "UpdateOptions" | "PatchOptions",
  make: (live: KubeObject | undefined) => KubeObject | Promise<KubeObject>,
  allowCreate?: boolean,
): Promise<UpdateResult> {
  const { resource, api: shared } = scope;
  const { name } = request.info;
  const namespace = namespaceOf(request, resource);
  const ownRules = rulesOf(scope, subresource);
  const base = allowCreate === undefined ? ownRules : { ...ownRules, allowCreate };
  const rules = { ...base, settle: withoutTimeChanges };
  const attributes = (object: KubeObject, oldObject: KubeObject | undefined) => {
    const operation = oldObject === undefined ? "CREATE" : "UPDATE";
    const kind = oldObject === undefined ? "CreateOptions" : optionsKind;
    const asObject = optionsObject(kind, request, options);
    const { dryRun } = options;
    return attributesOf(scope, request, {
      operation,
      object,
      oldObject,
      options: asObject,
      dryRun,
      name,
    });
  };
  return updateObject(
    resource,
    writeContext(scope, request, options.dryRun),
    { namespace, name, ...(uid === undefined ? {} : { uid }) },
    rules,
    async (old) => {
      const object = await make(old === undefined ? undefined : requestForm(resource, old));
      await admitKeepingOwners(
        object,
        (text) => void request.warnings.add(text),
        () => shared.admission.admit(attributes(object, old)),
      );
      resource.setStorageDefaults(object);
      dedupOwnerReferences(request, object);
      return object;
    },
    (object, old) => shared.admission.validate(attributes(object, old)),
  );
}

/** The stored object in the request's version; where that is another one, a converted copy. */
function requestForm(resource: ServedResource, old: KubeObject): KubeObject {
  return servesStorageVersion(resource) ? old : resource.fromStorage(cloneJson(old));
}
