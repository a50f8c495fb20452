/**
 * `pods/eviction`: a deletion that respects PodDisruptionBudgets.
 * Upstream: pkg/registry/core/pod/storage/eviction.go.
 */
import * as api from "../../apimachinery/api/errors.ts";
import { labelSelectorAsSelector, labelsMatch } from "../../apimachinery/labels/selector.ts";
import { type KubeObject, metadataOf } from "../../apimachinery/meta/types.ts";
import { schemaForKind, structOf } from "../../apis/schemas.ts";
import { type DeleteOptions, deleteObject } from "../../registry/generic/delete.ts";
import { decodeStored, encodeForStorage } from "../../registry/generic/object-codec.ts";
import { getObject, interpreted, secondsOf, storageOf } from "../../registry/generic/store.ts";
import type { AuthorizedRequest, Handler } from "../../request/request.ts";
import {
  attributesOf,
  BODY_BYTES_MAX,
  ensureNamespace,
  namespaceOf,
  type RequestScope,
  writeContext,
} from "../api-context.ts";
import { decodeBody } from "../body.ts";
import { optionsObject } from "../handlers/create.ts";
import { mediaTypesOf } from "../handlers/media-types.ts";
import { contentTypeOf, negotiate } from "../negotiation.ts";
import { parseWriteOptions, type WriteOptions } from "../options.ts";
import { METADATA_TRANSFORMATIONS, respondEncoded } from "../respond.ts";
import { type Pod, STATUS, STATUS_SCHEMA, SUCCESS } from "./binding.ts";
import { setPodCondition } from "./pod-condition.ts";

const EVICTION = { group: "policy", version: "v1", kind: "Eviction" };
const BLOCKED = "Cannot evict pod as it would violate the pod's disruption budget.";
const SEVERAL =
  "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
/** Upstream's MaxDisruptedPodSize: evictions the disruption controller has not confirmed. */
const DISRUPTED_PODS_MAX = 2000;

interface Eviction extends KubeObject {
  deleteOptions?: DeleteOptions & { readonly dryRun?: readonly string[] };
}
interface Budget extends KubeObject {
  spec?: { selector?: unknown; unhealthyPodEvictionPolicy?: string };
  status?: {
    observedGeneration?: number;
    disruptionsAllowed?: number;
    desiredHealthy?: number;
    currentHealthy?: number;
    disruptedPods?: Record<string, string>;
  };
}

export function evictPod(scope: RequestScope): Handler {
  const { resource } = scope;
  const schema = schemaForKind(EVICTION);
  const offer = { mediaTypes: mediaTypesOf(resource), transformations: METADATA_TRANSFORMATIONS };
  return async (request) => {
    if (schema === undefined) throw api.noSuchPath();
    const negotiated = negotiate(request, offer);
    const bytes = await request.body(BODY_BYTES_MAX);
    const options = parseWriteOptions(request.query, "CreateOptions");
    const mediaType = contentTypeOf(request, offer.mediaTypes);
    const target = { kind: EVICTION, schema };
    const eviction = decodeBody(
      request,
      bytes,
      mediaType,
      target,
      options.fieldValidation,
    ) as Eviction;
    const namespace = namespaceOf(request, resource);
    ensureNamespace(eviction, resource, namespace);
    if (metadataOf(eviction).name !== request.info.name) {
      throw api.badRequest("name in URL does not match name in Eviction object");
    }
    await evict(scope, request, options, eviction, namespace);
    return respondEncoded(request, negotiated, 201, SUCCESS, structOf(STATUS_SCHEMA), STATUS);
  };
}

async function evict(
  scope: RequestScope,
  request: AuthorizedRequest,
  options: WriteOptions,
  eviction: Eviction,
  namespace: string,
): Promise<void> {
  const { resource, api: shared } = scope;
  const { name } = request.info;
  const dryRun = options.dryRun || (eviction.deleteOptions?.dryRun?.length ?? 0) > 0;
  const attributes = attributesOf(scope, request, {
    operation: "CREATE",
    object: eviction,
    oldObject: undefined,
    options: optionsObject("CreateOptions", request, options),
    dryRun,
    name,
    kind: EVICTION,
  });
  await shared.admission.admit(attributes);
  await shared.admission.validate(attributes);
  const stored = await getObject(resource, namespace, name, "");
  const pod = decodeStored<Pod>(stored, resource.storageSchema);
  const guard = bypassesBudgets(pod) ? undefined : await budgetOf(scope, pod, namespace);
  let preconditions = eviction.deleteOptions?.preconditions ?? {};
  if (guard !== undefined) {
    if (isReady(pod) || !allowsUnhealthy(guard)) {
      await takeDisruption(scope, guard, name, namespace, dryRun);
    } else {
      // The pod may have become ready since: it must still be what was judged.
      preconditions = { ...preconditions, resourceVersion: metadataOf(pod).resourceVersion ?? "" };
    }
  }
  if (!dryRun) preconditions = await markDisrupted(scope, pod, namespace, name, preconditions);
  const deleteOptions = { ...eviction.deleteOptions, preconditions };
  const context = writeContext(scope, request, dryRun);
  await deleteObject(resource, context, { namespace, name }, deleteOptions, async () => undefined);
}

function bypassesBudgets(pod: Pod): boolean {
  const phase = pod.status?.phase ?? "";
  const isOver = phase === "Succeeded" || phase === "Failed" || phase === "Pending";
  return isOver || pod.metadata?.deletionTimestamp !== undefined;
}

function isReady(pod: Pod): boolean {
  const ready = pod.status?.conditions?.find(({ type }) => type === "Ready");
  return ready?.status === "True";
}

function allowsUnhealthy({ spec, status }: Budget): boolean {
  if (spec?.unhealthyPodEvictionPolicy === "AlwaysAllow") return true;
  const desired = status?.desiredHealthy ?? 0;
  return (status?.currentHealthy ?? 0) >= desired && desired > 0;
}

async function budgetOf(
  scope: RequestScope,
  pod: Pod,
  namespace: string,
): Promise<Budget | undefined> {
  const budgets = scope.api.resourceOf("policy", "poddisruptionbudgets");
  if (budgets?.storage === undefined) return undefined;
  const page = await budgets.storage.list({ namespace, at: { kind: "MostRecent" }, limit: 0 });
  const matching: Budget[] = [];
  try {
    for (const stored of page.items()) {
      const budget = decodeStored<Budget>(stored, budgets.storageSchema);
      const selector = labelSelectorAsSelector(budget.spec?.selector as never);
      if (labelsMatch(selector, pod.metadata?.labels)) matching.push(budget);
    }
  } finally {
    page.close();
  }
  if (matching.length > 1) throw api.unknownError(SEVERAL);
  return matching[0];
}

/** Counts this eviction against the budget, or throws 429. */
async function takeDisruption(
  scope: RequestScope,
  { metadata }: Budget,
  podName: string,
  namespace: string,
  dryRun: boolean,
): Promise<void> {
  const budgets = scope.api.resourceOf("policy", "poddisruptionbudgets");
  if (budgets?.storage === undefined) return;
  const name = metadata?.name ?? "";
  const key = `${namespace}/${name}`;
  if (dryRun) {
    const stored = await getObject(budgets, namespace, name, "");
    checkBudget(decodeStored<Budget>(stored, budgets.storageSchema), name);
    return;
  }
  try {
    await storageOf(budgets).guaranteedUpdate(key, {}, (current) => {
      if (current === undefined) throw api.notFound(budgets.groupResource, name);
      const budget = decodeStored<Budget>(current, budgets.storageSchema);
      checkBudget(budget, name);
      budget.status = {
        ...budget.status,
        disruptionsAllowed: (budget.status?.disruptionsAllowed ?? 0) - 1,
        disruptedPods: {
          ...budget.status?.disruptedPods,
          [podName]: secondsOf(scope.api.now()),
        },
      };
      return { json: encodeForStorage(budget, budgets.storageSchema) };
    });
  } catch (error) {
    throw interpreted(error, budgets, "update", name);
  }
}

function checkBudget(budget: Budget, name: string): void {
  const status = budget.status ?? {};
  const blocked = (message: string, retryAfterSeconds: number) => {
    const causes = [{ reason: "DisruptionBudget", message }];
    const details = { causes, retryAfterSeconds };
    return new api.StatusError("TooManyRequests", BLOCKED, { details });
  };
  if ((status.observedGeneration ?? 0) < (budget.metadata?.generation ?? 0)) {
    throw blocked(`The disruption budget ${name} is still being processed by the server.`, 10);
  }
  const of = { group: "policy", resource: "poddisruptionbudget" };
  const allowed = status.disruptionsAllowed ?? 0;
  if (allowed < 0) throw api.forbidden(of, name, "pdb disruptions allowed is negative");
  if (Object.keys(status.disruptedPods ?? {}).length > DISRUPTED_PODS_MAX) {
    const why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller";
    throw api.forbidden(of, name, why);
  }
  if (allowed > 0) return;
  const needs = `needs ${status.desiredHealthy ?? 0} healthy pods`;
  const has = `has ${status.currentHealthy ?? 0} currently`;
  throw blocked(`The disruption budget ${name} ${needs} and ${has}`, 0);
}

/** Says in the pod's status why it goes; the deletion must then meet exactly this pod. */
async function markDisrupted(
  scope: RequestScope,
  pod: Pod,
  namespace: string,
  name: string,
  preconditions: NonNullable<DeleteOptions["preconditions"]>,
): Promise<NonNullable<DeleteOptions["preconditions"]>> {
  const { resource } = scope;
  if (pod.metadata?.deletionTimestamp !== undefined) return preconditions;
  const { uid, resourceVersion } = preconditions;
  const stored = await storageOf(resource).guaranteedUpdate(`${namespace}/${name}`, {}, (now) => {
    if (now === undefined) throw api.notFound(resource.groupResource, name);
    const current = decodeStored<Pod>(now, resource.storageSchema);
    const found = metadataOf(current);
    const isOther = uid !== undefined && uid !== "" && uid !== found.uid;
    const isNewer = Boolean(resourceVersion) && resourceVersion !== found.resourceVersion;
    if (isOther || isNewer) {
      throw api.conflict(resource.groupResource, name, api.OPTIMISTIC_LOCK_MESSAGE);
    }
    const condition = {
      type: "DisruptionTarget",
      status: "True",
      reason: "EvictionByEvictionAPI",
      message: "Eviction API: evicting",
    };
    setPodCondition(current, condition, secondsOf(scope.api.now()));
    return { json: encodeForStorage(current, resource.storageSchema) };
  });
  return { ...preconditions, resourceVersion: String(stored.revision) };
}
