/**
 * The generic registry: what create, update and delete do for every kind, around the kind's own
 * strategy. Objects are in the storage version. The order of steps is upstream's and visible here.
 * Upstream: apiserver/pkg/registry/generic/registry/store.go, registry/rest/{create,update}.go.
 */

import { randomUUID } from "node:crypto";
import type { StatusError } from "../../apimachinery/api/errors.ts";
import * as api from "../../apimachinery/api/errors.ts";
import { type KubeObject, metadataOf } from "../../apimachinery/meta/types.ts";
import { cloneJson } from "../../apimachinery/runtime/clone.ts";
import { Path } from "../../apimachinery/validation/field.ts";
import {
  nameIsPathSegment,
  validateKubeFinalizers,
  validateObjectMeta,
} from "../../apimachinery/validation/object-meta.ts";
import { interpretStorageError, StorageError } from "../../storage/errors.ts";
import type { ReadAt, Storage, Stored } from "../../storage/interfaces.ts";
import { asRevision } from "../../storage/interfaces.ts";
import type { HookContext, SubresourceStrategy, Transaction } from "../rest/strategy.ts";
import { checksFinalizers } from "./finalizers.ts";
import { parseResourceVersion, validateUpdatedMetadata } from "./metadata-rules.ts";
import { generateName, NAME_GENERATION_TRIES_MAX } from "./names.ts";
import { decodeStored, encodeAsStored, encodeForStorage } from "./object-codec.ts";
import type { ServedResource } from "./served-resource.ts";
import { keepsProtobuf, storageName } from "./served-resource.ts";

const METADATA = Path.root("metadata");

/** What a write knows of the request, beyond the strategy's context. */
export interface WriteContext extends HookContext {
  addWarning(text: string): void;
  /** Seconds until the object expires, for events. */
  readonly ttlSeconds?: number;
  /** The request's: its client has left, or its time is up. */
  readonly signal?: AbortSignal;
}

/** Validating admission, called with what will be stored. */
export type AdmitValidating = (object: KubeObject, old: KubeObject | undefined) => Promise<void>;

/** An object as it stands after the call: its storage-version form and, once stored, its bytes. */
export interface Written {
  readonly object: KubeObject;
  /** After a dry run: what would have been stored. Undefined when the object is gone. */
  readonly stored: Stored | undefined;
}

/** Creates `object`; retries generated names that are taken. Changes `object` in place. */
export async function createObject(
  resource: ServedResource,
  context: WriteContext,
  object: KubeObject,
  admit: AdmitValidating,
): Promise<Written> {
  const generates = !metadataOf(object).name && Boolean(metadataOf(object).generateName);
  for (let tries = 1; ; tries++) {
    const attempt = generates ? cloneJson(object) : object;
    try {
      return await createOnce(resource, context, attempt, admit);
    } catch (error) {
      const taken = error instanceof api.StatusError && error.reason === "AlreadyExists";
      if (!generates || !taken) throw error;
      if (tries >= NAME_GENERATION_TRIES_MAX) {
        throw generatedNameConflict(resource, metadataOf(attempt).name ?? "");
      }
    }
  }
}

async function createOnce(
  resource: ServedResource,
  context: WriteContext,
  object: KubeObject,
  admit: AdmitValidating,
): Promise<Written> {
  const metadata = metadataOf(object);
  fillSystemFields(object, context.now());
  if (!metadata.name && metadata.generateName) metadata.name = generateName(metadata.generateName);
  let transaction: Transaction | undefined;
  try {
    transaction = await resource.hooks?.beginCreate?.(context, object);
    beforeCreate(resource, context, object);
    await admit(object, undefined);
    const written = await write(resource, context, object);
    if (context.dryRun) await transaction?.revert();
    else await transaction?.commit();
    return written;
  } catch (error) {
    await transaction?.revert();
    throw error;
  }
}

async function write(
  resource: ServedResource,
  context: WriteContext,
  object: KubeObject,
): Promise<Written> {
  const { name = "", namespace = "" } = metadataOf(object);
  const storage = storageOf(resource);
  const key = storageName(resource, namespace, name);
  if (context.dryRun) {
    const existing = await storage.get(key, { kind: "MostRecent" });
    if (existing !== undefined) throw existsError(resource, existing, name);
    return { object, stored: dryStored(resource, object) };
  }
  if (metadataOf(object).resourceVersion) {
    throw api.unknownError("resourceVersion should not be set on objects to be created");
  }
  const json = encodeForStorage(object, resource.storageSchema, keepsProtobuf(resource));
  try {
    const stored = await storage.create(key, json, context.ttlSeconds, context.signal);
    metadataOf(object).resourceVersion = String(stored.revision);
    return { object, stored };
  } catch (error) {
    if (error instanceof StorageError && error.failure.code === "KeyExists") {
      // What can not be read is there all the same.
      const existing = await storage.get(key, { kind: "MostRecent" }).catch(() => undefined);
      if (existing !== undefined) throw existsError(resource, existing, name);
    }
    throw interpreted(error, resource, "create", name);
  }
}

/** What a dry run answers with: the object as it would come back from the store. */
function dryStored(resource: ServedResource, object: KubeObject): Stored {
  const json = encodeAsStored(object, resource.storageSchema, keepsProtobuf(resource));
  return { name: "", revision: asRevision(0), json };
}

function existsError(resource: ServedResource, existing: Stored, name: string): StatusError {
  const object = decodeStored(existing, resource.storageSchema);
  const isDeleting = metadataOf(object).deletionTimestamp !== undefined;
  return api.alreadyExists(
    resource.groupResource,
    name,
    isDeleting ? "object is being deleted: " : "",
  );
}

function generatedNameConflict(resource: ServedResource, name: string): StatusError {
  const { group, resource: plural } = resource.groupResource;
  const what = group === "" ? plural : `${plural}.${group}`;
  const message = `${what} ${JSON.stringify(name)} already exists, the server was not able to generate a unique name for the object`;
  const details = { name, group, kind: plural, retryAfterSeconds: 1 };
  return new api.StatusError("AlreadyExists", message, { details });
}

/** Takes from a new object what is not for clients to set. Upstream: WipeObjectMetaSystemFields. */
export function wipeSystemFields(object: KubeObject): void {
  const metadata = metadataOf(object);
  delete metadata.creationTimestamp;
  delete metadata.uid;
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  delete metadata.selfLink;
}

/** Upstream: rest.FillObjectMetaSystemFields. */
function fillSystemFields(object: KubeObject, now: Date): void {
  wipeSystemFields(object);
  const metadata = metadataOf(object);
  metadata.creationTimestamp = secondsOf(now);
  metadata.uid = randomUUID();
}

/** RFC3339 in UTC, whole seconds, as metav1.Time prints. */
export function secondsOf(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

/** Upstream: rest.BeforeCreate. */
function beforeCreate(resource: ServedResource, context: WriteContext, object: KubeObject): void {
  const { strategy } = resource;
  strategy.prepareForCreate?.(context, object);
  const metadata = metadataOf(object);
  const errors = strategy.ownMetadataRules
    ? []
    : validateObjectMeta(metadata, resource.namespaced, strategy.validateName, METADATA);
  if (checksFinalizers(resource)) errors.push(...validateKubeFinalizers(metadata, METADATA));
  errors.push(...strategy.validate(context, object));
  const name = metadata.name ?? "";
  if (errors.length > 0) throw api.invalid(kindOf(resource, object), name, errors);
  // All but the names has just been found right, unless the strategy has rules of its own.
  const { generateName: prefix, namespace } = metadata;
  const rest = strategy.ownMetadataRules ? metadata : { name, generateName: prefix, namespace };
  const sanity = validateObjectMeta(rest, resource.namespaced, nameIsPathSegment, METADATA);
  if (sanity.length > 0) throw api.invalid(kindOf(resource, object), name, sanity);
  for (const text of strategy.warningsOnCreate?.(context, object) ?? []) context.addWarning(text);
  strategy.canonicalize?.(object);
}

/** Custom resources may say another kind than theirs, which is one of the errors. */
function kindOf({ kind, custom }: ServedResource, object: KubeObject) {
  return custom === undefined ? kind : { ...kind, kind: object.kind ?? "" };
}

/** How an update differs from the main endpoint's: `/status`, `/scale`, ... */
export interface UpdateRules {
  readonly strategy: SubresourceStrategy;
  /** PUT on a missing object creates it. */
  readonly allowCreate: boolean;
  readonly allowUnconditional: boolean;
  /**
   * The object as it is to be stored, after the strategy has prepared and validated it; where it
   * differs from `old` in nothing that counts, a result equal to `old` leaves the write out.
   */
  settle?(object: KubeObject, old: KubeObject): KubeObject;
}

/**
 * Makes the new object of the current one, which it must not write to; called again after a
 * conflict. Throws to refuse. The current object is undefined when it does not exist and creating
 * is allowed.
 */
export type MakeUpdated = (current: KubeObject | undefined) => Promise<KubeObject>;

/** The options of storage that say when a write is no longer wanted. */
export function withSignal({ signal }: WriteContext): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

export interface UpdateResult extends Written {
  readonly created: boolean;
  /** The update removed the last finalizer, and with it the object. */
  readonly deleted: boolean;
}

/** Updates one object. Upstream: Store.Update. */
export async function updateObject(
  resource: ServedResource,
  context: WriteContext,
  target: { readonly namespace: string; readonly name: string; readonly uid?: string },
  rules: UpdateRules,
  makeUpdated: MakeUpdated,
  admit: AdmitValidating,
): Promise<UpdateResult> {
  const { namespace, name } = target;
  const storage = storageOf(resource);
  const key = storageName(resource, namespace, name);
  const state: UpdateState = {
    object: undefined,
    transaction: undefined,
    created: false,
    deleted: false,
  };
  const step = async (current: Stored | undefined) => {
    await state.transaction?.revert();
    state.transaction = undefined;
    if (current === undefined) {
      await createInUpdate(resource, context, state, rules, name, makeUpdated, admit);
    } else {
      await updateStep(resource, context, state, rules, target, current, makeUpdated, admit);
    }
    return state.object ?? {};
  };
  try {
    if (context.dryRun) return await dryUpdate(resource, storage, key, state, step);
    const options = {
      ignoreNotFound: rules.allowCreate,
      ...(context.ttlSeconds === undefined ? {} : { ttlSeconds: context.ttlSeconds }),
      ...withSignal(context),
    };
    const stored = await storage.guaranteedUpdate(key, options, async (current) => {
      const object = await step(current);
      if (state.deleted) return "delete";
      return { json: encodeForStorage(object, resource.storageSchema, keepsProtobuf(resource)) };
    });
    await state.transaction?.commit();
    const object = state.object ?? {};
    if (!state.deleted) metadataOf(object).resourceVersion = String(stored.revision);
    if (state.deleted) await resource.hooks?.afterDelete?.(context, object);
    return { object, stored: state.deleted ? undefined : stored, ...flags(state) };
  } catch (error) {
    await state.transaction?.revert();
    throw interpreted(error, resource, "update", name);
  }
}

interface UpdateState {
  object: KubeObject | undefined;
  transaction: Transaction | undefined;
  created: boolean;
  deleted: boolean;
}

const flags = ({ created, deleted }: UpdateState) => ({ created, deleted });

async function dryUpdate(
  resource: ServedResource,
  storage: Storage,
  key: string,
  state: UpdateState,
  step: (current: Stored | undefined) => Promise<KubeObject>,
): Promise<UpdateResult> {
  const current = await storage.get(key, { kind: "MostRecent" });
  const object = await step(current);
  await state.transaction?.revert();
  return { object, stored: dryStored(resource, object), ...flags(state) };
}

async function createInUpdate(
  resource: ServedResource,
  context: WriteContext,
  state: UpdateState,
  rules: UpdateRules,
  name: string,
  makeUpdated: MakeUpdated,
  admit: AdmitValidating,
): Promise<void> {
  if (!rules.allowCreate) throw api.notFound(resource.groupResource, name);
  const object = await makeUpdated(undefined);
  // Any version that is a number will do, as for upstream.
  parseResourceVersion(metadataOf(object).resourceVersion);
  delete metadataOf(object).resourceVersion;
  fillSystemFields(object, context.now());
  state.transaction = await resource.hooks?.beginCreate?.(context, object);
  beforeCreate(resource, context, object);
  await admit(object, undefined);
  state.object = object;
  state.created = true;
}

async function updateStep(
  resource: ServedResource,
  context: WriteContext,
  state: UpdateState,
  rules: UpdateRules,
  target: { readonly name: string; readonly uid?: string },
  current: Stored,
  makeUpdated: MakeUpdated,
  admit: AdmitValidating,
): Promise<void> {
  const { name } = target;
  const old = decodeStored(current, resource.storageSchema);
  if (target.uid !== undefined) checkUid(resource, name, target.uid, old);
  const object = await makeUpdated(old);
  checkVersion(resource, rules, name, object, old);
  state.transaction = await resource.hooks?.beginUpdate?.(context, object, old);
  beforeUpdate(resource, context, rules.strategy, object, old);
  await admit(object, old);
  state.object = rules.settle?.(object, old) ?? object;
  state.created = false;
  state.deleted = deletesDuringUpdate(object);
}

/** Upstream prints the etcd error as it is, key included. */
function checkUid(resource: ServedResource, name: string, uid: string, old: KubeObject): void {
  const found = metadataOf(old).uid ?? "";
  if (uid === found) return;
  const root = resource.custom === undefined ? "" : "/registry";
  const prefix = `${root}${resource.storage?.config.prefix ?? "/"}`;
  const namespace = metadataOf(old).namespace;
  const key = `${prefix}${namespace === undefined ? "" : `${namespace}/`}${name}`;
  const why = `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${found}`;
  throw api.conflict(resource.groupResource, name, why);
}

function checkVersion(
  resource: ServedResource,
  rules: UpdateRules,
  name: string,
  object: KubeObject,
  old: KubeObject,
): void {
  const metadata = metadataOf(object);
  const current = metadataOf(old).resourceVersion ?? "";
  const version = parseResourceVersion(metadata.resourceVersion);
  if (version === 0n) {
    if (!rules.allowUnconditional) throw versionRequired(resource, name);
    metadata.resourceVersion = current;
    return;
  }
  if (version !== BigInt(current)) {
    throw api.conflict(resource.groupResource, name, api.OPTIMISTIC_LOCK_MESSAGE);
  }
}

/** Upstream names the resource here, not the kind. */
function versionRequired(resource: ServedResource, name: string): StatusError {
  const { group, resource: plural } = resource.groupResource;
  return api.invalid({ group, kind: plural }, name, [
    {
      type: "Invalid",
      field: "metadata.resourceVersion",
      value: 0,
      detail: "must be specified for an update",
    },
  ]);
}

/** Upstream: rest.BeforeUpdate. */
function beforeUpdate(
  resource: ServedResource,
  context: WriteContext,
  strategy: SubresourceStrategy,
  object: KubeObject,
  old: KubeObject,
): void {
  const metadata = metadataOf(object);
  const oldMetadata = metadataOf(old);
  copyField(metadata, oldMetadata, "generation");
  strategy.prepareForUpdate(context, object, old);
  if (!metadata.uid) copyField(metadata, oldMetadata, "uid");
  metadata.creationTimestamp = oldMetadata.creationTimestamp ?? secondsOf(context.now());
  // An update can not take back a deletion; beginning one by an update is for validation to refuse.
  if (oldMetadata.deletionTimestamp !== undefined) {
    metadata.deletionTimestamp = oldMetadata.deletionTimestamp;
  }
  metadata.deletionGracePeriodSeconds ??= oldMetadata.deletionGracePeriodSeconds;
  if (metadata.deletionGracePeriodSeconds === undefined) {
    delete metadata.deletionGracePeriodSeconds;
  }
  delete metadata.selfLink;

  const errors = [
    ...validateUpdatedMetadata(resource, strategy, metadata, oldMetadata),
    ...strategy.validateUpdate(context, object, old),
  ];
  if (errors.length > 0) throw api.invalid(kindOf(resource, object), metadata.name ?? "", errors);
  const warnings = strategy.warningsOnUpdate?.(context, object, old) ?? [];
  for (const text of warnings) context.addWarning(text);
  resource.strategy.canonicalize?.(object);
}

function copyField<T, K extends keyof T>(to: T, from: T, key: K): void {
  if (from[key] === undefined) delete to[key];
  else to[key] = from[key];
}

/** An object being deleted goes away once nothing holds it. Upstream: ShouldDeleteDuringUpdate. */
function deletesDuringUpdate(object: KubeObject): boolean {
  const metadata = metadataOf(object);
  if (metadata.deletionTimestamp === undefined) return false;
  if ((metadata.deletionGracePeriodSeconds ?? 0) !== 0) return false;
  const spec = (object as { spec?: { finalizers?: readonly unknown[] } }).spec;
  const isNamespace = object.kind === "Namespace" && object.apiVersion === "v1";
  if (isNamespace && (spec?.finalizers?.length ?? 0) > 0) return false;
  return (metadata.finalizers?.length ?? 0) === 0;
}

export function storageOf(resource: ServedResource): Storage {
  if (resource.storage === undefined) throw api.methodNotAllowed();
  return resource.storage;
}

/** Storage's words in the client's; anything else stays what it is. */
export function interpreted(
  error: unknown,
  resource: ServedResource,
  verb: string,
  name: string,
): unknown {
  if (!(error instanceof StorageError)) return error;
  return interpretStorageError(error.failure, verb, resource.groupResource, name);
}

/** Reads one object; NotFound when there is none. `version` is the query's resourceVersion. */
export async function getObject(
  resource: ServedResource,
  namespace: string,
  name: string,
  version: "" | "0" | number,
): Promise<Stored> {
  const at = readAtOf(version);
  try {
    const stored = await storageOf(resource).get(storageName(resource, namespace, name), at);
    if (stored !== undefined) return stored;
  } catch (error) {
    throw interpreted(error, resource, "get", name);
  }
  throw api.notFound(resource.groupResource, name);
}

/** `resourceVersion` of a GET: the newest state, any, or one not older than a revision. */
export function readAtOf(version: "" | "0" | number): ReadAt {
  if (version === "") return { kind: "MostRecent" };
  if (version === "0") return { kind: "Any" };
  return { kind: "NotOlderThan", revision: asRevision(version) };
}
