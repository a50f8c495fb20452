/**
 * `pods/binding` and `bindings`: the scheduler assigns a pod to a node.
 * Upstream: pkg/registry/core/pod/storage/storage.go BindingREST.
 */
import * as api from "../../apimachinery/api/errors.ts";
import { aggregate } from "../../apimachinery/api/errors.ts";
import { type KubeObject, metadataOf } from "../../apimachinery/meta/types.ts";
import type { ErrorList } from "../../apimachinery/validation/field.ts";
import * as field from "../../apimachinery/validation/field.ts";
import { schemaForKind, structOf } from "../../apis/schemas.ts";
import { decodeStored, encodeForStorage } from "../../registry/generic/object-codec.ts";
import { interpreted, secondsOf, storageOf } from "../../registry/generic/store.ts";
import type { Handler } from "../../request/request.ts";
import type { Stored } from "../../storage/interfaces.ts";
import {
  attributesOf,
  BODY_BYTES_MAX,
  ensureNamespace,
  namespaceOf,
  type RequestScope,
} from "../api-context.ts";
import { decodeBody } from "../body.ts";
import { optionsObject } from "../handlers/create.ts";
import { mediaTypesOf } from "../handlers/media-types.ts";
import { contentTypeOf, negotiate } from "../negotiation.ts";
import { parseWriteOptions } from "../options.ts";
import { METADATA_TRANSFORMATIONS, respondEncoded } from "../respond.ts";
import { setPodCondition } from "./pod-condition.ts";

const BINDING = { group: "", version: "v1", kind: "Binding" };
export const STATUS = { group: "", version: "v1", kind: "Status" };
export const STATUS_SCHEMA = "k8s.io/apimachinery/pkg/apis/meta/v1.Status";

interface Binding extends KubeObject {
  target?: { kind?: string; name?: string };
}
export interface Pod extends KubeObject {
  spec?: { nodeName?: string; schedulingGates?: readonly unknown[] };
  status?: { phase?: string; conditions?: PodCondition[] };
}
export interface PodCondition {
  type?: string;
  status?: string;
  reason?: string;
  message?: string;
  observedGeneration?: number;
  lastTransitionTime?: string;
}

/** Success without details, as the binding and eviction endpoints answer. */
export const SUCCESS = { metadata: {}, status: "Success", code: 201 } as KubeObject;

/** `nameInUrl` is false for the deprecated `bindings` collection. */
export function bindPod(scope: RequestScope, nameInUrl: boolean): Handler {
  const pods = () => {
    const resource = scope.api.resourceOf("", "pods");
    if (resource === undefined) throw api.noSuchPath();
    return { api: scope.api, resource };
  };
  const schema = schemaForKind(BINDING);
  const offer = {
    mediaTypes: mediaTypesOf(scope.resource),
    transformations: METADATA_TRANSFORMATIONS,
  };
  return async (request) => {
    if (schema === undefined) throw api.noSuchPath();
    const negotiated = negotiate(request, offer);
    const bytes = await request.body(BODY_BYTES_MAX);
    const options = parseWriteOptions(request.query, "CreateOptions");
    const mediaType = contentTypeOf(request, offer.mediaTypes);
    const target = { kind: BINDING, schema };
    const binding = decodeBody(
      request,
      bytes,
      mediaType,
      target,
      options.fieldValidation,
    ) as Binding;
    const namespace = namespaceOf(request, scope.resource);
    ensureNamespace(binding, scope.resource, namespace);
    const name = metadataOf(binding).name ?? "";
    if (nameInUrl && name !== request.info.name) {
      throw api.badRequest("name in URL does not match name in Binding object");
    }
    const attributes = attributesOf(scope, request, {
      operation: "CREATE",
      object: binding,
      oldObject: undefined,
      options: optionsObject("CreateOptions", request, options),
      dryRun: options.dryRun,
      name,
      kind: BINDING,
    });
    await scope.api.admission.admit(attributes);
    const errors = bindingErrors(binding);
    if (errors.length > 0) throw api.unknownError(aggregate(errors));
    await scope.api.admission.validate(attributes);
    await assign(pods(), binding, namespace, name, options.dryRun ? undefined : request.signal);
    return respondEncoded(request, negotiated, 201, SUCCESS, structOf(STATUS_SCHEMA), STATUS);
  };
}

function bindingErrors({ target }: Binding): ErrorList {
  const errors: ErrorList = [];
  const kind = target?.kind ?? "";
  if (kind !== "" && kind !== "Node") {
    errors.push(field.notSupported("target.kind", kind, ["Node", "<empty>"]));
  }
  if (!target?.name) errors.push(field.required("target.name"));
  return errors;
}

/** Without a signal it is a dry run. */
async function assign(
  scope: RequestScope,
  binding: Binding,
  namespace: string,
  name: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { resource } = scope;
  const key = `${namespace}/${name}`;
  const bind = (current: Stored | undefined) => {
    if (current === undefined) throw api.notFound(resource.groupResource, name);
    const pod = decodeStored<Pod>(current, resource.storageSchema);
    checkBindable(pod, binding, name);
    bindTo(pod, binding, secondsOf(scope.api.now()));
    return { json: encodeForStorage(pod, resource.storageSchema) };
  };
  try {
    if (signal === undefined) bind(await storageOf(resource).get(key, { kind: "MostRecent" }));
    else await storageOf(resource).guaranteedUpdate(key, { signal }, bind);
  } catch (error) {
    throw interpreted(error, resource, "update", name);
  }
}

function checkBindable(pod: Pod, binding: Binding, name: string): void {
  const refuse = (why: string) => api.conflict({ group: "", resource: "pods/binding" }, name, why);
  const { uid = "", resourceVersion = "" } = metadataOf(binding);
  const found = metadataOf(pod);
  if (uid !== "" && uid !== found.uid) {
    throw refuse(
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${found.uid}`,
    );
  }
  if (resourceVersion !== "" && resourceVersion !== found.resourceVersion) {
    throw refuse(
      `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${found.resourceVersion}`,
    );
  }
  if (found.deletionTimestamp !== undefined) {
    throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`);
  }
  if (pod.spec?.nodeName) {
    throw refuse(`pod ${name} is already assigned to node ${JSON.stringify(pod.spec.nodeName)}`);
  }
  if ((pod.spec?.schedulingGates?.length ?? 0) > 0) {
    throw refuse(`pod ${name} has non-empty .spec.schedulingGates`);
  }
}

function bindTo(pod: Pod, binding: Binding, now: string): void {
  const metadata = metadataOf(pod);
  pod.spec = { ...pod.spec, nodeName: binding.target?.name ?? "" };
  const { annotations, labels } = metadataOf(binding);
  if (annotations) metadata.annotations = { ...metadata.annotations, ...annotations };
  if (labels) metadata.labels = { ...metadata.labels, ...labels };
  const condition = { type: "PodScheduled", status: "True" };
  setPodCondition(pod, condition, now);
}
