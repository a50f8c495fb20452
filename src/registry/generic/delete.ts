/**
 * Deletion: preconditions, grace, finalizers and the garbage collection policy.
 * Upstream: Store.Delete in registry/store.go and rest.BeforeDelete in registry/rest/delete.go.
 */
import * as api from "../../apimachinery/api/errors.ts";
import { type KubeObject, metadataOf } from "../../apimachinery/meta/types.ts";
import type { Stored } from "../../storage/interfaces.ts";
import { decodeStored, encodeForStorage } from "./object-codec.ts";
import type { ServedResource } from "./served-resource.ts";
import { keepsProtobuf, storageName } from "./served-resource.ts";
import { interpreted, secondsOf, storageOf, type WriteContext, withSignal } from "./store.ts";

export const FINALIZER_ORPHAN = "orphan";
export const FINALIZER_FOREGROUND = "foregroundDeletion";

export type PropagationPolicy = "Orphan" | "Background" | "Foreground";
export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly propagationPolicy?: PropagationPolicy;
  readonly orphanDependents?: boolean;
}

export interface DeleteResult {
  readonly object: KubeObject;
  /** Gone from storage (or would be, in a dry run). */
  readonly deleted: boolean;
  /** Another deletion is on its way already; nothing was changed. */
  readonly pending: boolean;
}

/** Validating admission of a deletion; sees what is stored. */
export type AdmitDelete = (object: KubeObject) => Promise<void>;

type Step =
  | { readonly kind: "update"; readonly object: KubeObject; readonly thenDelete: boolean }
  /** `gone`: the finalizers that are there still, and that the deletion takes with it. */
  | { readonly kind: "delete"; readonly object: KubeObject; readonly gone: readonly string[] }
  | { readonly kind: "pending"; readonly object: KubeObject };

/** Thrown inside guaranteedUpdate to leave it with a decision. */
class Decided extends Error {
  readonly step: Step;
  constructor(step: Step) {
    super("decided");
    this.step = step;
  }
}

/** Deletes or starts deleting one object. */
export async function deleteObject(
  resource: ServedResource,
  context: WriteContext,
  target: { readonly namespace: string; readonly name: string },
  options: DeleteOptions,
  admit: AdmitDelete,
): Promise<DeleteResult> {
  const key = storageName(resource, target.namespace, target.name);
  const storage = storageOf(resource);
  const decide = async (stored: Stored): Promise<Step> => {
    const object = decodeStored(stored, resource.storageSchema);
    checkPreconditions(resource, target.name, options, object);
    await admit(object);
    return nextStep(resource, context, options, object);
  };
  try {
    if (context.dryRun) {
      const stored = await storage.get(key, { kind: "MostRecent" });
      if (stored === undefined) throw api.notFound(resource.groupResource, target.name);
      return resultOf(await decide(stored));
    }
    const step = await takeStep(resource, context, key, decide);
    if (step.kind === "pending") return resultOf(step);
    if (step.kind === "update" && !step.thenDelete) return resultOf(step);
    return await removeNow(resource, context, key, target.name, options, step);
  } catch (error) {
    throw interpreted(error, resource, "delete", target.name);
  }
}

/** Writes what the deletion changes in the object first, unless it can go at once. */
async function takeStep(
  resource: ServedResource,
  context: WriteContext,
  key: string,
  decide: (stored: Stored) => Promise<Step>,
): Promise<Step> {
  let last: Step | undefined;
  try {
    const storage = storageOf(resource);
    const stored = await storage.guaranteedUpdate(key, withSignal(context), async (current) => {
      if (current === undefined) throw new Error("guaranteedUpdate passes no missing object");
      last = await decide(current);
      if (last.kind !== "update") throw new Decided(last);
      return {
        json: encodeForStorage(last.object, resource.storageSchema, keepsProtobuf(resource)),
      };
    });
    if (last === undefined) throw new Error("guaranteedUpdate did not call back");
    metadataOf(last.object).resourceVersion = String(stored.revision);
    return last;
  } catch (error) {
    if (error instanceof Decided) return error.step;
    throw error;
  }
}

async function removeNow(
  resource: ServedResource,
  context: WriteContext,
  key: string,
  name: string,
  options: DeleteOptions,
  step: Step,
): Promise<DeleteResult> {
  const preconditions =
    step.kind === "update"
      ? { preconditions: { ...options.preconditions, resourceVersion: "" } }
      : {};
  const deleted = await storageOf(resource).delete(
    key,
    (current) => {
      const object = decodeStored(current, resource.storageSchema);
      checkPreconditions(resource, name, { ...options, ...preconditions }, object);
      const finalizers = metadataOf(object).finalizers ?? [];
      if (step.kind === "delete" && finalizers.some((one) => !step.gone.includes(one))) {
        throw api.conflict(resource.groupResource, name, api.OPTIMISTIC_LOCK_MESSAGE);
      }
    },
    context.signal,
  );
  const object = decodeStored(deleted, resource.storageSchema);
  await resource.hooks?.afterDelete?.(context, object);
  return { object, deleted: true, pending: false };
}

function resultOf(step: Step): DeleteResult {
  const deleted = step.kind === "delete" || (step.kind === "update" && step.thenDelete);
  return { object: step.object, deleted, pending: step.kind === "pending" };
}

/** 409 in the KIND's name, as upstream. */
function checkPreconditions(
  resource: ServedResource,
  name: string,
  { preconditions }: DeleteOptions,
  object: KubeObject,
): void {
  const { uid = "", resourceVersion = "" } = metadataOf(object);
  const of = { group: resource.kind.group, resource: resource.kind.kind };
  if (preconditions?.uid && preconditions.uid !== uid) {
    const why = `the UID in the precondition (${preconditions.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`;
    throw api.conflict(of, name, why);
  }
  if (preconditions?.resourceVersion && preconditions.resourceVersion !== resourceVersion) {
    const why = `the ResourceVersion in the precondition (${preconditions.resourceVersion}) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`;
    throw api.conflict(of, name, why);
  }
}

function nextStep(
  resource: ServedResource,
  context: WriteContext,
  options: DeleteOptions,
  object: KubeObject,
): Step {
  const metadata = metadataOf(object);
  const now = context.now();
  const grace = beforeDelete(resource, options, object, now);
  if (grace === "pending") return { kind: "pending", object };
  const finalizers = finalizersForGarbageCollection(resource, options, object);
  const gone = metadata.finalizers ?? [];
  if (finalizers.length > 0) metadata.finalizers = finalizers;
  else delete metadata.finalizers;
  const isHeld = finalizers.length > 0;
  if (grace === undefined) {
    if (!isHeld) return { kind: "delete", object, gone };
    markAsDeleting(object, now);
    return { kind: "update", object, thenDelete: false };
  }
  return { kind: "update", object, thenDelete: !isHeld && grace === 0 };
}

/** The seconds of grace now running; undefined without any; "pending" when nothing is to change. */
function beforeDelete(
  resource: ServedResource,
  options: DeleteOptions,
  object: KubeObject,
  now: Date,
): number | undefined | "pending" {
  const { strategy } = resource;
  if (strategy.gracefulDeleteSeconds === undefined) return undefined;
  const metadata = metadataOf(object);
  const asked =
    options.gracePeriodSeconds !== undefined && options.gracePeriodSeconds < 0
      ? 1
      : options.gracePeriodSeconds;
  if (metadata.deletionTimestamp !== undefined) return shortenGrace(metadata, asked);
  const seconds = strategy.gracefulDeleteSeconds(object, asked);
  if (seconds === undefined) return undefined;
  metadata.deletionTimestamp = secondsOf(new Date(now.getTime() + seconds * 1000));
  metadata.deletionGracePeriodSeconds = seconds;
  if ((metadata.generation ?? 0) > 0) metadata.generation = (metadata.generation ?? 0) + 1;
  return seconds;
}

function shortenGrace(
  metadata: NonNullable<KubeObject["metadata"]>,
  asked: number | undefined,
): number | "pending" {
  const running = metadata.deletionGracePeriodSeconds;
  if (running === undefined || asked === undefined || asked >= running) return "pending";
  const start = Date.parse(metadata.deletionTimestamp ?? "") - running * 1000;
  metadata.deletionTimestamp = secondsOf(new Date(start + asked * 1000));
  metadata.deletionGracePeriodSeconds = asked;
  return asked;
}

/** For kinds without grace: the object waits for its finalizers. */
export function markAsDeleting(object: KubeObject, now: Date): void {
  const metadata = metadataOf(object);
  if (metadata.deletionTimestamp === undefined && (metadata.generation ?? 0) > 0) {
    metadata.generation = (metadata.generation ?? 0) + 1;
  }
  const stamp = metadata.deletionTimestamp;
  if (stamp === undefined || Date.parse(stamp) > now.getTime()) {
    metadata.deletionTimestamp = secondsOf(now);
  }
  metadata.deletionGracePeriodSeconds = 0;
}

/** The finalizers after the deletion's policy is applied; the two of the collector come last. */
export function finalizersForGarbageCollection(
  resource: ServedResource,
  options: DeleteOptions,
  object: KubeObject,
): string[] {
  const current = metadataOf(object).finalizers ?? [];
  const policy = resource.strategy.defaultGarbageCollection ?? "Background";
  if (policy === "Unsupported") return [...current];
  const others = current.filter((one) => one !== FINALIZER_ORPHAN && one !== FINALIZER_FOREGROUND);
  const chosen = chosenPolicy(options, current, policy);
  const next =
    chosen === "Orphan"
      ? [...others, FINALIZER_ORPHAN]
      : chosen === "Foreground"
        ? [...others, FINALIZER_FOREGROUND]
        : others;
  const same = next.length === current.length && next.every((one) => current.includes(one));
  return same ? [...current] : next;
}

/** The options say it first, then a finalizer that is there, then the kind's default. */
function chosenPolicy(
  options: DeleteOptions,
  finalizers: readonly string[],
  byDefault: "Background" | "Orphan",
): PropagationPolicy {
  if (options.orphanDependents !== undefined) {
    return options.orphanDependents ? "Orphan" : "Background";
  }
  if (options.propagationPolicy !== undefined) return options.propagationPolicy;
  const set = finalizers.find((one) => one === FINALIZER_ORPHAN || one === FINALIZER_FOREGROUND);
  if (set === FINALIZER_ORPHAN) return "Orphan";
  if (set === FINALIZER_FOREGROUND) return "Foreground";
  return byDefault;
}
