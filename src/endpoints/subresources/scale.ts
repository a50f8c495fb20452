/**
 * `/scale` of the workloads: autoscaling/v1 Scale over spec.replicas of the parent.
 * Upstream: pkg/registry/apps/{deployment,replicaset,statefulset}/storage/storage.go.
 */

import * as api from "../../apimachinery/api/errors.ts";
import {
  labelSelectorAsSelector,
  labelSelectorString,
  selectorFromSet,
} from "../../apimachinery/labels/selector.ts";
import type { JsonObject, KubeObject, ManagedFieldsEntry } from "../../apimachinery/meta/types.ts";
import { metadataOf } from "../../apimachinery/meta/types.ts";
import { cloneJson } from "../../apimachinery/runtime/clone.ts";
import { apiVersionOf } from "../../apimachinery/runtime/gvk.ts";
import { isJsonObject } from "../../apimachinery/runtime/json.ts";
import { validateScale } from "../../apis/autoscaling/v1/validation.ts";
import { structOf } from "../../apis/schemas.ts";
import { valueAt } from "../../registry/apiextensions/customresource/strategy.ts";
import { decodeStored } from "../../registry/generic/object-codec.ts";
import type { ServedResource } from "../../registry/generic/served-resource.ts";
import { getObject } from "../../registry/generic/store.ts";
import type { AuthorizedRequest, Handler } from "../../request/request.ts";
import { BODY_BYTES_MAX, checkName, namespaceOf, type RequestScope } from "../api-context.ts";
import { decodeBody } from "../body.ts";
import { ScaleHandler } from "../fieldmanager/index.ts";
import { mediaTypesOf } from "../handlers/media-types.ts";
import { APPLY_PATCH, makePatcher, patchTypeOf } from "../handlers/patch.ts";
import { runUpdate } from "../handlers/update.ts";
import { fieldManagerFor } from "../managed-fields.ts";
import { contentTypeOf, negotiate } from "../negotiation.ts";
import { managerOf, parseWriteOptions, type WriteOptions } from "../options.ts";
import { OBJECT_TRANSFORMATIONS } from "../respond.ts";
import type { MethodHandlers } from "../routes.ts";
import { respondScale, type Scale } from "./scale-form.ts";

const SCALE_KIND = { group: "autoscaling", version: "v1", kind: "Scale" };
const SCALE_SCHEMA_NAME = "k8s.io/api/autoscaling/v1.Scale";
const REPLICAS_PATH = ["spec", "replicas"];

interface Scalable extends KubeObject {
  spec?: { replicas?: number | undefined; selector?: unknown } | undefined;
  status?: { replicas?: number | undefined } | undefined;
}

export function scaleHandlers(scope: RequestScope): MethodHandlers {
  const offer = {
    mediaTypes: mediaTypesOf(scope.resource),
    transformations: OBJECT_TRANSFORMATIONS,
  };
  const get: Handler = async (request) => {
    const negotiated = negotiate(request, offer);
    const namespace = namespaceOf(request, scope.resource);
    const stored = await getObject(scope.resource, namespace, request.info.name, "");
    const object = decodeStored(stored, scope.resource.storageSchema);
    checkReplicas(scope.resource, object);
    const scale = shownScale(scope.resource, object);
    return respondScale(request, scope.resource, negotiated, scale);
  };
  const write =
    (prepare: (request: AuthorizedRequest) => Promise<ScaleWrite>): Handler =>
    async (request) => {
      const negotiated = negotiate(request, offer);
      const prepared = await prepare(request);
      const scale = await writeScale(scope, request, prepared);
      return respondScale(request, scope.resource, negotiated, scale);
    };
  return {
    GET: get,
    PUT: write((request) => preparePut(scope, request)),
    PATCH: write((request) => preparePatch(scope, request)),
  };
}

interface ScaleWrite {
  readonly options: WriteOptions;
  readonly optionsKind: "UpdateOptions" | "PatchOptions";
  readonly isApply: boolean;
  /** The Scale the client wants, made of the current one. */
  make(current: Scale): Scale;
}

async function preparePut(scope: RequestScope, request: AuthorizedRequest): Promise<ScaleWrite> {
  const { resource } = scope;
  const bytes = await request.body(BODY_BYTES_MAX);
  const options = parseWriteOptions(request.query, "UpdateOptions");
  const mediaType = contentTypeOf(request, mediaTypesOf(resource));
  const target = { kind: SCALE_KIND, schema: structOf(SCALE_SCHEMA_NAME) };
  const scale = decodeBody(request, bytes, mediaType, target, options.fieldValidation) as Scale;
  checkName(scale, request.info.name, resource, namespaceOf(request, resource));
  return { options, optionsKind: "UpdateOptions", isApply: false, make: () => scale };
}

async function preparePatch(scope: RequestScope, request: AuthorizedRequest): Promise<ScaleWrite> {
  const { resource } = scope;
  const type = patchTypeOf(request, resource);
  const bytes = await request.body(BODY_BYTES_MAX);
  const isApply = type === APPLY_PATCH;
  const options = parseWriteOptions(request.query, "PatchOptions", isApply);
  const asScale = scaleResource(resource);
  const namespace = namespaceOf(request, resource);
  const make = isApply
    ? (current: Scale) => {
        const config = parseConfig(bytes);
        const force = options.force ?? false;
        const manager = fieldManagerFor(asScale, "scale");
        return manager.applied(current, config, options.fieldManager, force).object as Scale;
      }
    : (current: Scale) => makePatcher(asScale, request, options, type, bytes)(current) as Scale;
  return {
    options,
    optionsKind: "PatchOptions",
    isApply,
    make: (current) => {
      const scale = make(current);
      checkName(scale, request.info.name, resource, namespace);
      return scale;
    },
  };
}

function parseConfig(bytes: Uint8Array): KubeObject {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8")) as KubeObject;
  } catch (error) {
    throw api.badRequest(`error decoding YAML: ${error instanceof Error ? error.message : ""}`);
  }
}

/** The parent's resource as if its kind were Scale, for patching and field management. */
const scaleResources = new WeakMap<ServedResource, ServedResource>();
function scaleResource(resource: ServedResource): ServedResource {
  let made = scaleResources.get(resource);
  if (made === undefined) {
    const schema = structOf(SCALE_SCHEMA_NAME);
    const { custom: _custom, ...rest } = resource;
    made = {
      ...rest,
      kind: SCALE_KIND,
      storageKind: SCALE_KIND,
      schema,
      storageSchema: schema,
    };
    scaleResources.set(resource, made);
  }
  return made;
}

async function writeScale(
  scope: RequestScope,
  request: AuthorizedRequest,
  { options, optionsKind, isApply, make }: ScaleWrite,
): Promise<Scale> {
  const { resource } = scope;
  const { name } = request.info;
  const manager = managerOf(options.fieldManager, request);
  const update = (current: KubeObject | undefined): KubeObject => {
    if (current === undefined) throw api.notFound(resource.groupResource, name);
    const parent = current as Scalable;
    const handler = new ScaleHandler(
      parent.metadata?.managedFields,
      apiVersionOf(resource.kind),
      new Map([[apiVersionOf(resource.kind), replicasPath(resource)]]),
    );
    const live = withManagedFields(shownScale(resource, parent), handler.toSubresource());
    const made = make(cloneJson(live));
    const next = isApply
      ? made
      : (fieldManagerFor(scaleResource(resource), "scale").updated(live, made, manager) as Scale);
    if (resource.custom === undefined) checkScale(name, next);
    const version = next.metadata?.resourceVersion ?? "";
    const updated = cloneJson(parent);
    const metadata = metadataOf(updated);
    // A Scale may say no version, whatever the parent asks for.
    if (version !== "") metadata.resourceVersion = version;
    else if (resource.custom === undefined) delete metadata.resourceVersion;
    setReplicas(updated, replicasPath(resource), next.spec?.replicas ?? 0);
    const entries = handler.toParent(next.metadata?.managedFields);
    if (entries === undefined) delete metadata.managedFields;
    else metadata.managedFields = entries;
    return resource.toStorage(updated);
  };
  const uid = undefined;
  const result = await runUpdate(scope, request, options, "", uid, optionsKind, update, false);
  return shownScale(resource, result.object);
}

function replicasPath({ custom }: ServedResource): readonly string[] {
  const path = custom?.scale?.specReplicasPath;
  return path === undefined ? REPLICAS_PATH : path.replace(/^\./, "").split(".");
}

function setReplicas(object: KubeObject, path: readonly string[], replicas: number): void {
  let at = object as JsonObject;
  for (const name of path.slice(0, -1)) {
    const inner = at[name];
    const next: JsonObject = isJsonObject(inner) ? inner : {};
    at[name] = next;
    at = next;
  }
  at[path[path.length - 1] ?? "replicas"] = replicas;
}

/** The Scale of a built-in workload or of a custom resource. */
function shownScale(resource: ServedResource, object: KubeObject): Scale {
  const paths = resource.custom?.scale;
  return paths === undefined ? scaleOf(resource, object) : customScale(object, paths);
}

type ScalePaths = NonNullable<NonNullable<ServedResource["custom"]>["scale"]>;

/** Upstream: apiextensions-apiserver/pkg/registry/customresource/etcd.go, scaleFromCustomResource. */
function customScale(object: KubeObject, paths: ScalePaths): Scale {
  const at = (path: string) => (path === "" ? undefined : valueAt(object as never, path));
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata ?? {};
  const [replicas, found] = [paths.specReplicasPath, paths.statusReplicasPath].map(at);
  const selector = at(paths.labelSelectorPath);
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: typeof replicas === "number" ? replicas : 0 },
    status: {
      replicas: typeof found === "number" ? found : 0,
      ...(typeof selector === "string" && selector !== "" ? { selector } : {}),
    },
  };
}

/** Throws 500 for a custom resource that says nothing of its replicas. */
function checkReplicas({ custom }: ServedResource, object: KubeObject): void {
  const path = custom?.scale?.specReplicasPath;
  if (path === undefined || typeof valueAt(object as never, path) === "number") return;
  throw api.internalError(`the spec replicas field ${JSON.stringify(path)} does not exist`);
}

function withManagedFields(scale: Scale, entries: ManagedFieldsEntry[] | undefined): Scale {
  if (entries === undefined || entries.length === 0) return scale;
  return { ...scale, metadata: { ...scale.metadata, managedFields: entries } };
}

function checkScale(name: string, scale: Scale): void {
  const errors = validateScale(scale);
  if (errors.length > 0) throw api.invalid(SCALE_KIND, name, errors);
}

/** The Scale of a workload. A selector prints as kubectl and the HPA read it. */
export function scaleOf(resource: ServedResource, object: KubeObject): Scale {
  const { spec, status, metadata } = object as Scalable;
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata ?? {};
  const selector = spec?.selector;
  const isSet = resource.kind.kind === "ReplicationController";
  const text = isSet
    ? labelSelectorString(selectorFromSet((selector ?? {}) as Record<string, string>))
    : labelSelectorString(labelSelectorAsSelector(selector as never));
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: spec?.replicas ?? 0 },
    status: { replicas: status?.replicas ?? 0, selector: text },
  };
}
