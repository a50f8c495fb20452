/** DELETE of an object and of a collection. Upstream: handlers/delete.go. */
import * as api from "../../apimachinery/api/errors.ts";
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import { DecodeError } from "../../apimachinery/runtime/decode-error.ts";
import type { GroupResource } from "../../apimachinery/runtime/gvk.ts";
import { decodeJson, interpretTypeMeta } from "../../apimachinery/runtime/json-decode.ts";
import { decodeProtobuf, interpretEnvelope } from "../../apimachinery/runtime/protobuf.ts";
import { yamlToJson } from "../../apimachinery/runtime/yaml.ts";
import type { ErrorList } from "../../apimachinery/validation/field.ts";
import * as field from "../../apimachinery/validation/field.ts";
import { structOf } from "../../apis/schemas.ts";
import { deleteDefinition } from "../../registry/apiextensions/customresourcedefinition/delete.ts";
import { deleteNamespace } from "../../registry/core/namespaces/delete.ts";
import {
  type DeleteOptions,
  type DeleteResult,
  deleteObject,
  type PropagationPolicy,
} from "../../registry/generic/delete.ts";
import { decodeStored } from "../../registry/generic/object-codec.ts";
import { interpreted, storageOf } from "../../registry/generic/store.ts";
import type { AuthorizedRequest, Handler, Response } from "../../request/request.ts";
import { asRevision } from "../../storage/interfaces.ts";
import {
  attributesOf,
  BODY_BYTES_MAX,
  namespaceOf,
  type RequestScope,
  writeContext,
} from "../api-context.ts";
import { contentTypeOf, negotiate, PROTOBUF_TYPE, YAML_TYPE } from "../negotiation.ts";
import { boolOf, dryRunErrors, intOf, invalidOptions, parseListOptions } from "../options.ts";
import {
  LIST_TRANSFORMATIONS,
  OBJECT_TRANSFORMATIONS,
  respondEncoded,
  respondObject,
  successStatus,
} from "../respond.ts";
import { scopeOf } from "../selection.ts";
import {
  deleteUnreadable,
  UNSAFE_DELETION,
  UNSAFE_DELETION_GATE,
  unsafeDeletionErrors,
} from "./delete-unreadable.ts";
import { readAtOf, respondObjects } from "./list.ts";
import { mediaTypesOf } from "./media-types.ts";

const META = "k8s.io/apimachinery/pkg/apis/meta/v1";
const SCHEME = "k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27";
const STATUS_KIND = { group: "", version: "v1", kind: "Status" };

interface ParsedDelete {
  readonly options: DeleteOptions;
  readonly dryRun: boolean;
  /** The object is to go though it can not be read. */
  readonly unsafe: boolean;
  /** The options as admission sees them. */
  readonly object: KubeObject;
}

export function deleteResource(scope: RequestScope): Handler {
  const { resource } = scope;
  const offer = {
    mediaTypes: mediaTypesOf(resource),
    transformations: OBJECT_TRANSFORMATIONS,
  };
  return async (request) => {
    const negotiated = negotiate(request, offer);
    const parsed = await parseDelete(scope, request);
    if (parsed.unsafe) {
      const namespace = namespaceOf(request, resource);
      const { name } = request.info;
      await deleteUnreadable(scope, request, { namespace, name });
      const body = successStatus({ name, kind: resource.kind.kind, group: resource.kind.group });
      return respondStatusBody(request, negotiated, 200, { ...body, code: 200 });
    }
    const result = await deleteOne(
      scope,
      request,
      parsed,
      request.info.name,
      namespaceOf(request, resource),
    );
    const returnsObject = !result.deleted || (resource.strategy.returnsDeletedObject ?? false);
    const orphansExplicitly = parsed.options.orphanDependents === false;
    const status = !result.deleted && orphansExplicitly ? 202 : 200;
    if (returnsObject && !(result.pending && !resource.strategy.returnsDeletedObject)) {
      return respondObject(request, resource, negotiated, status, result.object);
    }
    const { metadata } = result.object;
    const { group, resource: kind } = resource.groupResource;
    const details = { name: metadata?.name ?? "", group, kind, uid: metadata?.uid ?? "" };
    return respondStatusBody(request, negotiated, status, successStatus(details));
  };
}

function respondStatusBody(
  request: AuthorizedRequest,
  negotiated: ReturnType<typeof negotiate>,
  code: number,
  status: api.Status,
): ReturnType<typeof respondEncoded> {
  const plain = { ...negotiated, as: undefined };
  const body = status as unknown as KubeObject;
  return respondEncoded(request, plain, code, body, structOf(`${META}.Status`), STATUS_KIND);
}

async function deleteOne(
  scope: RequestScope,
  request: AuthorizedRequest,
  { options, dryRun, object: optionsObject }: ParsedDelete,
  name: string,
  namespace: string,
): Promise<DeleteResult> {
  const { resource, api: shared } = scope;
  const attributes = (old: KubeObject) =>
    attributesOf(scope, request, {
      operation: "DELETE",
      object: {},
      oldObject: old,
      options: optionsObject,
      dryRun,
      name,
      namespace,
    });
  const context = { ...writeContext(scope, request, dryRun), namespace };
  const { groupResource } = resource;
  const remove = deleterOf(groupResource);
  const result = await remove(resource, context, { namespace, name }, options, async (old) => {
    const asked = attributes(old);
    await shared.admission.admit(asked);
    await shared.admission.validate(asked);
  });
  const orphansByDefault =
    resource.strategy.defaultGarbageCollection === "Orphan" &&
    options.propagationPolicy === undefined &&
    options.orphanDependents === undefined;
  if (orphansByDefault && groupResource.group === "batch") {
    request.warnings.add(
      "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning",
    );
  }
  return result;
}

function deleterOf({ group, resource }: GroupResource): typeof deleteObject {
  if (group === "" && resource === "namespaces") return deleteNamespace;
  const isDefinition = group === "apiextensions.k8s.io" && resource === "customresourcedefinitions";
  return isDefinition ? deleteDefinition : deleteObject;
}

/** Options from the body, or from the query when there is none. */
async function parseDelete(
  { api: shared }: RequestScope,
  request: AuthorizedRequest,
): Promise<ParsedDelete> {
  const bytes = await request.body(BODY_BYTES_MAX);
  const raw = bytes.length > 0 ? optionsFromBody(request, bytes) : optionsFromQuery(request.query);
  const errors: ErrorList = [];
  const { propagationPolicy: policy, orphanDependents } = raw;
  if (orphanDependents !== undefined && policy !== undefined) {
    const detail = "orphanDependents and deletionPropagation cannot be both set";
    errors.push(field.invalid("propagationPolicy", policy, detail));
  }
  const policies = ["Foreground", "Background", "Orphan"];
  if (policy !== undefined && !policies.includes(policy)) {
    errors.push(field.notSupported("propagationPolicy", policy, [...policies, "nil"]));
  }
  errors.push(...dryRunErrors(raw.dryRun ?? []));
  const unsafe = raw[UNSAFE_DELETION] === true && shared.settings.gate(UNSAFE_DELETION_GATE);
  if (unsafe) errors.push(...unsafeDeletionErrors(raw));
  if (errors.length > 0) throw invalidOptions("DeleteOptions", errors);
  const options: DeleteOptions = {
    ...(raw.gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds: raw.gracePeriodSeconds }),
    ...(raw.preconditions === undefined ? {} : { preconditions: raw.preconditions }),
    ...(policy === undefined ? {} : { propagationPolicy: policy as PropagationPolicy }),
    ...(orphanDependents === undefined ? {} : { orphanDependents }),
  };
  const object = { kind: "DeleteOptions", apiVersion: "meta.k8s.io/v1", ...raw };
  return { options, dryRun: (raw.dryRun ?? []).length > 0, unsafe, object };
}

interface RawDeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly propagationPolicy?: string;
  readonly orphanDependents?: boolean;
  readonly dryRun?: readonly string[];
  readonly [UNSAFE_DELETION]?: boolean;
}

function optionsFromQuery(query: URLSearchParams): RawDeleteOptions {
  const grace = intOf(query.get("gracePeriodSeconds"));
  const policy = query.get("propagationPolicy");
  const orphan = query.get("orphanDependents");
  const dryRun = query.getAll("dryRun");
  const unsafe = query.get(UNSAFE_DELETION);
  return {
    ...(grace === undefined ? {} : { gracePeriodSeconds: grace }),
    ...(policy === null ? {} : { propagationPolicy: policy }),
    ...(orphan === null ? {} : { orphanDependents: boolOf(orphan) }),
    ...(dryRun.length === 0 ? {} : { dryRun }),
    ...(unsafe === null ? {} : { [UNSAFE_DELETION]: boolOf(unsafe) }),
  };
}

function optionsFromBody(request: AuthorizedRequest, bytes: Uint8Array): RawDeleteOptions {
  const mediaType = contentTypeOf(request, ["application/json", YAML_TYPE, PROTOBUF_TYPE]);
  const schema = structOf(`${META}.DeleteOptions`);
  try {
    const json = mediaType === YAML_TYPE ? Buffer.from(yamlToJson(bytes).json) : bytes;
    const isProtobuf = mediaType === PROTOBUF_TYPE;
    const found = isProtobuf ? interpretEnvelope(bytes) : interpretTypeMeta(json);
    if (found.kind !== "" && found.kind !== "DeleteOptions") {
      const version = JSON.stringify(found.apiVersion === "" ? "v1" : found.apiVersion);
      const kind = JSON.stringify(found.kind);
      const why = `no kind ${kind} is registered for version ${version} in scheme ${JSON.stringify(SCHEME)}`;
      throw api.badRequest(why);
    }
    if (isProtobuf) return decodeProtobuf(bytes, schema).object as unknown as RawDeleteOptions;
    return decodeJson(json, schema, { strict: "Ignore" }).object as unknown as RawDeleteOptions;
  } catch (error) {
    if (error instanceof DecodeError) throw api.badRequest(error.message);
    throw error;
  }
}

const PAGE_ITEMS_MAX = 10_000;

/** Answers with the list that was read, as upstream; missing objects are skipped. */
export function deleteCollection(scope: RequestScope): Handler {
  const { resource, api: shared } = scope;
  const offer = { mediaTypes: mediaTypesOf(resource), transformations: LIST_TRANSFORMATIONS };
  return async (request): Promise<Response> => {
    const negotiated = negotiate(request, offer);
    const options = parseListOptions(request.query, false);
    const parsed = await parseDelete(scope, request);
    const namespace = namespaceOf(request, resource);
    const page = await storageOf(resource)
      .list({
        ...scopeOf(resource, options, namespace),
        at: readAtOf(options),
        limit: options.limit > 0 ? options.limit : PAGE_ITEMS_MAX,
      })
      .catch((error) => {
        throw interpreted(error, resource, "list", "");
      });
    const objects: KubeObject[] = [];
    try {
      for (const stored of page.items()) {
        objects.push(decodeStored(stored, resource.storageSchema));
      }
    } finally {
      page.close();
    }
    await forEachAtOnce(objects, shared.settings.deleteCollectionWorkers, async (object) => {
      const name = object.metadata?.name ?? "";
      const namespace = object.metadata?.namespace ?? request.info.namespace;
      await ignoreNotFound(deleteOne(scope, request, parsed, name, namespace));
    });
    const served = objects.map((object) => resource.fromStorage(object));
    const metadata = { resourceVersion: String(asRevision(page.revision)) };
    return respondObjects(request, resource, negotiated, metadata, served);
  };
}

async function ignoreNotFound(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (error instanceof api.StatusError && error.reason === "NotFound") return;
    throw error;
  }
}

/** Runs `work` on every item, at most `workers` at once; the first error ends it. */
async function forEachAtOnce<T>(
  items: readonly T[],
  workers: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const item = items[next++];
      if (item !== undefined) await work(item);
    }
  };
  const count = Math.max(1, Math.min(workers, items.length));
  await Promise.all(Array.from({ length: count }, worker));
}
