/** The field managers of a resource's endpoints. Upstream: installer.go's field manager set-up. */

import { unknownError } from "../apimachinery/api/errors.ts";
import type { KubeObject } from "../apimachinery/meta/types.ts";
import { cloneJson } from "../apimachinery/runtime/clone.ts";
import { DecodeError } from "../apimachinery/runtime/decode-error.ts";
import { converterText, fromUnstructured } from "../apimachinery/runtime/from-unstructured.ts";
import { apiVersionOf } from "../apimachinery/runtime/gvk.ts";
import type { JsonObject } from "../apimachinery/runtime/json.ts";
import { decodeJson } from "../apimachinery/runtime/json-decode.ts";
import { encodeJsonValue } from "../apimachinery/runtime/json-encode.ts";
import { redecode } from "../apimachinery/runtime/json-redecode.ts";
import type { StructSchema } from "../apimachinery/runtime/type-schema.ts";
import type { ServedResource } from "../registry/generic/served-resource.ts";
import {
  checkAfterAdmission,
  createFieldManager,
  excludeFields,
  type FieldFilter,
  ignoreManagedFieldsTimestamps,
  includeFields,
  structuralMergeType,
} from "./fieldmanager/index.ts";

type JsonMap = Record<string, unknown>;

/** What handlers need of managedFields; objects are in the request's version. */
export interface EndpointFieldManager {
  /** Ownership of a new object. Never fails: an object that can not be typed goes untracked. */
  created(object: KubeObject, manager: string): KubeObject;
  /** Ownership after an update. Never fails. */
  updated(live: KubeObject, object: KubeObject, manager: string): KubeObject;
  /** Server-side apply; throws 409 with every conflict, 400 and 500 for a bad configuration. */
  applied(
    live: KubeObject | undefined,
    config: KubeObject,
    manager: string,
    force: boolean,
  ): { readonly object: KubeObject; readonly changed: boolean };
}

const managers = new WeakMap<ServedResource, Map<string, EndpointFieldManager>>();

/** The manager of one endpoint, made once. `subresource` is "" for the main one. */
export function fieldManagerFor(
  resource: ServedResource,
  subresource: string,
): EndpointFieldManager {
  let bySubresource = managers.get(resource);
  if (bySubresource === undefined) {
    bySubresource = new Map();
    managers.set(resource, bySubresource);
  }
  let manager = bySubresource.get(subresource);
  if (manager === undefined) {
    manager = makeManager(resource, subresource);
    bySubresource.set(subresource, manager);
  }
  return manager;
}

function makeManager(resource: ServedResource, subresource: string): EndpointFieldManager {
  const { custom } = resource;
  const manager = createFieldManager({
    gvk: resource.kind,
    subresource,
    ...(custom === undefined
      ? { schema: resource.schema }
      : { type: structuralMergeType(custom.schema) }),
    resetFields: resetFieldsOf(resource, subresource),
    toTyped: (object, live) => toTyped(resource, object, live),
    convert: (object, apiVersion) => converted(resource, object, apiVersion),
  });
  const map = (object: KubeObject) => object as unknown as JsonMap;
  const back = (object: JsonMap) => object as unknown as KubeObject;
  return {
    created: (object, name) => back(manager.updateNoErrors(undefined, map(object), name)),
    updated: (live, object, name) => back(manager.updateNoErrors(map(live), map(object), name)),
    applied: (live, config, name, force) => {
      const before = live === undefined ? undefined : map(live);
      try {
        const { object, changed } = manager.apply(before, map(config), name, force);
        return { object: back(object), changed };
      } catch (error) {
        throw error instanceof DecodeError ? unconvertible(resource, config, error) : error;
      }
    },
  };
}

/** An applied configuration whose values do not fit their fields: 500 without a reason. */
function unconvertible({ kind }: ServedResource, config: KubeObject, { message }: DecodeError) {
  const { namespace = "", name = "" } = config.metadata ?? {};
  const gvk = `${kind.group}/${kind.version}, Kind=${kind.kind}`;
  return unknownError(
    `failed to convert new object (${namespace}/${name}; ${gvk}) to proper version: unable to convert unstructured object to ${gvk}: ${converterText(message)}`,
  );
}

function resetFieldsOf(
  resource: ServedResource,
  subresource: string,
): ReadonlyMap<string, FieldFilter> {
  const { strategy } = resource;
  const endpoint = strategy.subresources?.[subresource];
  const { ownedFields } = endpoint ?? {};
  const paths = ownedFields ?? endpoint?.resetFields ?? strategy.resetFields;
  if (paths === undefined || paths.length === 0) return new Map();
  const split = paths.map((path) => path.split("."));
  const filter = ownedFields === undefined ? excludeFields(...split) : includeFields(...split);
  const versions = [resource.kind, resource.storageKind].map(apiVersionOf);
  return new Map(versions.map((version) => [version, filter]));
}

/**
 * Without a change of times alone: such a write is left out. For the generic store to call last.
 * Upstream: fieldmanager.IgnoreManagedFieldsTimestampsTransformer.
 */
export function withoutTimeChanges(object: KubeObject, old: KubeObject): KubeObject {
  const next = object as unknown as JsonMap;
  return ignoreManagedFieldsTimestamps(next, old as unknown as JsonMap) as unknown as KubeObject;
}

/**
 * Calls `admit`, which may change the object; owners that it left malformed are put back with a
 * warning. Upstream: fieldmanager/admission.go.
 */
export async function admitKeepingOwners(
  object: KubeObject,
  addWarning: (text: string) => void,
  admit: () => Promise<void>,
): Promise<void> {
  const before = object.metadata?.managedFields;
  await admit();
  const { managedFields, warning } = checkAfterAdmission(before, object.metadata?.managedFields);
  if (warning === undefined || object.metadata === undefined) return;
  addWarning(warning);
  if (managedFields === undefined) delete object.metadata.managedFields;
  else object.metadata.managedFields = [...managedFields];
}

/** Through the decoder and the defaults, as a body would go. */
function toTyped(resource: ServedResource, object: JsonMap, live: JsonMap): JsonMap {
  const { schema } = resource;
  const decoded = redecode(object, live as JsonObject, schema) ?? decodeText(object, schema);
  decoded["apiVersion"] = apiVersionOf(resource.kind);
  decoded["kind"] = resource.kind.kind;
  resource.setDefaults(decoded as unknown as KubeObject);
  return decoded;
}

function decodeText(object: JsonMap, schema: StructSchema): JsonObject {
  const text = encodeJsonValue(fromUnstructured(object as JsonObject, schema));
  return decodeJson(text, schema, { strict: "Ignore" }).object;
}

function converted(resource: ServedResource, object: JsonMap, apiVersion: string) {
  const { custom } = resource;
  if (custom !== undefined) {
    const schema = custom.schemaOf(apiVersion);
    if (schema === "unknown") return undefined;
    return { object: { ...object, apiVersion }, type: structuralMergeType(schema) };
  }
  if (apiVersion === apiVersionOf(resource.kind)) return { object, schema: resource.schema };
  if (apiVersion !== apiVersionOf(resource.storageKind)) return undefined;
  const stored = resource.toStorage(cloneJson(object) as unknown as KubeObject);
  return { object: stored as unknown as JsonMap, schema: resource.storageSchema };
}
