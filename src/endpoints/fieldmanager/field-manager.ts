/**
 * The field manager of a resource: keeps metadata.managedFields on writes, and merges applied
 * configurations. Upstream wraps nine managers into each other; here their steps stand in order.
 * Upstream: apimachinery/pkg/util/managedfields/internal/fieldmanager.go and structuredmerge.go.
 */
import { badRequest, StatusError, unknownError } from "../../apimachinery/api/errors.ts";
import type { ManagedFieldsEntry } from "../../apimachinery/meta/types.ts";
import {
  apiVersionOf,
  type GroupVersionKind,
  parseApiVersion,
} from "../../apimachinery/runtime/gvk.ts";
import type { StructSchema } from "../../apimachinery/runtime/type-schema.ts";
import { allowedConflicts, LAST_APPLIED, lastAppliedValue, withinSize } from "./last-applied.ts";
import {
  copyManaged,
  decodeManagedFields,
  decodeOrEmpty,
  emptyManaged,
  encodeManagedFields,
  identify,
  isReset,
  type Managed,
} from "./managed-fields.ts";
import { capUpdateManagers, conflictError, stripFields } from "./managers.ts";
import { type MergeType, mergeTypeOf } from "./merge-type.ts";
import { FieldsError } from "./path-element.ts";
import { heldForm, structView } from "./struct-view.ts";
import { TypedValueError, validateTyped } from "./typed-value.ts";
import {
  applyConfig,
  Conflicts,
  type FieldFilter,
  type TypedObject,
  type UpdaterOptions,
  updateManagers,
} from "./updater.ts";
import { copy, equals, isMap, type Json, type JsonMap, put } from "./value.ts";

export interface FieldManagerOptions {
  readonly gvk: GroupVersionKind;
  /** Empty for the main resource. */
  readonly subresource: string;
  /** The kind's struct. Objects are then compared as the Go struct shows itself. */
  readonly schema?: StructSchema;
  /** For kinds without a struct: the merge type of a structural schema, or `deduced`. */
  readonly type?: MergeType;
  /** Fields ignored for ownership, by apiVersion: what this endpoint's strategy resets. */
  readonly resetFields?: ReadonlyMap<string, FieldFilter>;
  /**
   * Gives an object of this kind in another version, for entries written through that version.
   * Undefined: the version is not known, and its entries are dropped. Without a converter every
   * other version is unknown.
   */
  readonly convert?: (
    object: JsonMap,
    apiVersion: string,
  ) =>
    | { readonly object: JsonMap; readonly schema?: StructSchema; readonly type?: MergeType }
    | undefined;
  /**
   * Decodes and defaults a merged object, as a body would be; most of it is as in `live`. What it
   * throws goes to the client.
   */
  readonly toTyped?: (object: JsonMap, live: JsonMap) => JsonMap;
  /** The clock; for tests. */
  readonly now?: () => Date;
}

export interface FieldManager {
  /**
   * The new object with the managed fields it should be stored with. `live` is the object before
   * (undefined on create), both in this manager's version. Neither is written to; the result shares
   * all but `metadata` with `next`. Throws when the objects do not fit their type.
   */
  update(live: JsonMap | undefined, next: JsonMap, manager: string): JsonMap;
  /** As update; where update throws, the managed fields are dropped instead. */
  updateNoErrors(live: JsonMap | undefined, next: JsonMap, manager: string): JsonMap;
  /**
   * Merges an applied configuration into `live` (undefined: the object is to be created). The
   * result is a fresh object. `changed` is false when the object's own fields stay as they are; its
   * managed fields may still differ. Throws StatusError: 409 on conflicts unless `force`, 400, 500.
   */
  apply(
    live: JsonMap | undefined,
    config: JsonMap,
    manager: string,
    force: boolean,
  ): { readonly object: JsonMap; readonly changed: boolean };
}

/** The field manager of one resource or subresource in one version. */
export function createFieldManager(options: FieldManagerOptions): FieldManager {
  const pipeline = new Pipeline(options);
  return {
    update: (live, next, manager) => pipeline.update(live, next, manager),
    updateNoErrors: (live, next, manager) => pipeline.updateNoErrors(live, next, manager),
    apply: (live, config, manager, force) => pipeline.apply(live, config, manager, force),
  };
}

/** The one whose entry collects an update's changes until they are known. */
const CURRENT_OPERATION = "current-operation";

class Pipeline {
  readonly #options: FieldManagerOptions;
  readonly #apiVersion: string;
  readonly #type: MergeType;
  readonly #updater: UpdaterOptions;

  constructor(options: FieldManagerOptions) {
    const { schema, type } = options;
    if (schema === undefined && type === undefined) throw new Error("a schema or a type is needed");
    this.#options = options;
    this.#apiVersion = apiVersionOf(options.gvk);
    this.#type = type ?? mergeTypeOf(schema as StructSchema);
    this.#updater = {
      convert: (object, apiVersion) => this.#convert(object, apiVersion),
      ignoreFilters: options.resetFields ?? new Map(),
    };
  }

  update(live: JsonMap | undefined, next: JsonMap, manager: string): JsonMap {
    const managed = this.#decodeLiveOrNew(live, next);
    // An object without owners is not tracked until it is first applied to; a new one is.
    if (managed.fields.size === 0 && stringAt(metadataOf(live), "uid") !== "") {
      return withManagedFields(next, undefined);
    }
    const updated = this.#trackUpdate(live, next, managed, manager);
    return withManagedFields(next, encodeManagedFields(updated));
  }

  updateNoErrors(live: JsonMap | undefined, next: JsonMap, manager: string): JsonMap {
    try {
      return this.update(live, next, manager);
    } catch {
      return withManagedFields(next, undefined);
    }
  }

  apply(live: JsonMap | undefined, config: JsonMap, manager: string, force: boolean) {
    const managed = decodeForApply(live);
    this.#checkVersion(config);
    let attempt: Attempt;
    try {
      attempt = this.#applyOrConflict(live, config, managed, manager, force);
    } catch (error) {
      if (error instanceof ConflictsOf) throw conflictError(error.managed, error.conflicts);
      throw error;
    }
    const { object, managed: after, changed } = attempt;
    if (manager === "kubectl") syncLastApplied(object, config);
    return { object: withManagedFields(object, encodeManagedFields(after)), changed };
  }

  /** Upstream's decodeLiveOrNew: clients that know nothing of managed fields must not delete them. */
  #decodeLiveOrNew(live: JsonMap | undefined, next: JsonMap): Managed {
    const ours = entriesOf(live);
    if (this.#options.subresource !== "") return decodeOrEmpty(ours, true);
    const theirs = entriesOf(next);
    if (isReset(theirs)) return emptyManaged();
    if (theirs === undefined || equals(theirs, ours)) return decodeOrEmpty(ours, true);
    const managed = decodeOrEmpty(theirs, false);
    return managed.fields.size === 0 ? decodeOrEmpty(ours, true) : managed;
  }

  /** The owners after an update: build manager info, strip meta, keep times, cap updaters. */
  #trackUpdate(
    live: JsonMap | undefined,
    next: JsonMap,
    before: Managed,
    manager: string,
  ): Managed {
    const managed = copyManaged(before);
    const identifier = this.#identify(managed, manager, "Update");
    const nextTyped = this.#checked(next, next, "failed to convert new object");
    const liveTyped = this.#checked(live, next, "failed to convert live object");
    const fields = updateManagers(
      this.#updater,
      liveTyped,
      nextTyped,
      managed.fields,
      CURRENT_OPERATION,
    );
    const updated: Managed = { ...managed, fields };
    stripFields(updated, CURRENT_OPERATION);
    const current = fields.get(CURRENT_OPERATION);
    if (current !== undefined) {
      fields.delete(CURRENT_OPERATION);
      const previous = fields.get(identifier);
      const set = previous === undefined ? current.set : current.set.union(previous.set);
      fields.set(identifier, { ...current, set });
      updated.times.set(identifier, this.#timeNow());
    }
    return capUpdateManagers(updated);
  }

  /** kubectl's own client-side apply counts as its own: those conflicts are forced. */
  #applyOrConflict(
    live: JsonMap | undefined,
    config: JsonMap,
    managed: Managed,
    manager: string,
    force: boolean,
  ): Attempt {
    try {
      return this.#applyOnce(live, config, managed, manager, force);
    } catch (error) {
      if (manager !== "kubectl" || !(error instanceof ConflictsOf)) throw error;
      const allowed = allowedConflicts(live, this.#apiVersion, (object, duplicates) =>
        this.#typed(object, duplicates),
      );
      if (allowed === undefined) throw error;
      const rest = error.conflicts.conflicts.filter(({ path }) => !allowed.has(path));
      if (rest.length > 0) throw new ConflictsOf(error.managed, new Conflicts(rest));
      return this.#applyOnce(live, config, managed, manager, true);
    }
  }

  #applyOnce(
    live: JsonMap | undefined,
    config: JsonMap,
    before: Managed,
    manager: string,
    force: boolean,
  ): Attempt {
    const tracked = before.fields.size === 0 ? this.#trackExisting(live, before) : before;
    const managed = copyManaged(tracked);
    const identifier = this.#identify(managed, manager, "Apply");
    if (Array.isArray(metadataOf(config)["managedFields"])) {
      throw badRequest("metadata.managedFields must be nil");
    }
    const configTyped = this.#checkedConfig(config);
    const liveTyped = this.#checked(live, config, "failed to create typed live object");
    let applied: ReturnType<typeof applyConfig>;
    try {
      applied = applyConfig(
        this.#updater,
        liveTyped,
        configTyped,
        managed.fields,
        identifier,
        force,
      );
    } catch (error) {
      if (error instanceof Conflicts) throw new ConflictsOf(managed, error);
      throw error;
    }
    const after: Managed = { ...managed, fields: applied.managers };
    stripFields(after, identifier);
    if (applied.object === undefined) {
      const object = this.#held(withoutManagedFields(live ?? {}));
      return { object, managed: after, changed: false };
    }
    const merged = this.#held(applied.object.value);
    const object = this.#options.toTyped?.(merged, live ?? {}) ?? merged;
    after.times.set(identifier, this.#timeNow());
    return { object, managed: after, changed: true };
  }

  /** What an object has before anybody applied to it belongs to one manager. */
  #trackExisting(live: JsonMap | undefined, before: Managed): Managed {
    try {
      return this.#trackUpdate(undefined, live ?? {}, before, "before-first-apply");
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      throw unknownError(`failed to create manager for existing fields: ${error.message}`);
    }
  }

  #identify(managed: Managed, manager: string, operation: "Apply" | "Update"): string {
    const { subresource } = this.#options;
    const name = manager === "" ? "unknown" : manager;
    const info = { manager: name, operation, apiVersion: this.#apiVersion, subresource };
    return identify(managed, info);
  }

  /** RFC 3339 with whole seconds. */
  #timeNow(): string {
    const now = this.#options.now?.() ?? new Date();
    return `${now.toISOString().slice(0, 19)}Z`;
  }

  /** Upstream's versionCheckManager. */
  #checkVersion(config: JsonMap): void {
    const { group, version, kind } = kindOf(config);
    const { gvk } = this.#options;
    if (group === gvk.group && version === gvk.version && kind === gvk.kind) return;
    throw badRequest(`invalid object type: ${group}/${version}, Kind=${kind}`);
  }

  #checkedConfig(config: JsonMap): TypedObject {
    try {
      validateTyped(this.#type, config, false);
    } catch (error) {
      if (!(error instanceof TypedValueError)) throw error;
      const what = this.#describe(config);
      throw unknownError(`failed to create typed patch object (${what}): ${error.message}`);
    }
    return { apiVersion: this.#apiVersion, type: this.#type, value: config };
  }

  #checked(object: JsonMap | undefined, named: JsonMap, failure: string): TypedObject {
    try {
      return this.#typed(object, true);
    } catch (error) {
      if (!(error instanceof TypedValueError)) throw error;
      const suffix = failure.startsWith("failed to convert") ? " to smd typed" : "";
      throw unknownError(`${failure} (${this.#describe(named)})${suffix}: ${error.message}`);
    }
  }

  /** The object as structured-merge-diff sees it. Throws TypedValueError. */
  #typed(object: JsonMap | undefined, allowDuplicates: boolean): TypedObject {
    const { schema, gvk } = this.#options;
    const plain = withoutManagedFields(object ?? {});
    const named: JsonMap = { ...plain, apiVersion: this.#apiVersion, kind: gvk.kind };
    const value = schema === undefined ? named : structView(schema, named);
    validateTyped(this.#type, value, allowDuplicates);
    return { apiVersion: this.#apiVersion, type: this.#type, value };
  }

  #convert({ value }: TypedObject, apiVersion: string): TypedObject | undefined {
    const converted = this.#options.convert?.(this.#held(value), apiVersion);
    if (converted === undefined) return undefined;
    const { object, schema } = converted;
    const type = converted.type ?? (schema === undefined ? this.#type : mergeTypeOf(schema));
    const shown = schema === undefined ? object : structView(schema, object);
    return { apiVersion, type, value: shown };
  }

  #held(value: JsonMap): JsonMap {
    const { schema } = this.#options;
    return schema === undefined ? (copy(value) as JsonMap) : heldForm(schema, value);
  }

  /** `<namespace>/<name>; <group>/<version>, Kind=<kind>`, as upstream names objects in errors. */
  #describe(object: JsonMap): string {
    const metadata = metadataOf(object);
    const { group, version, kind } = this.#options.gvk;
    const where = `${stringAt(metadata, "namespace")}/${stringAt(metadata, "name")}`;
    return `${where}; ${group}/${version}, Kind=${kind}`;
  }
}

interface Attempt {
  readonly object: JsonMap;
  readonly managed: Managed;
  readonly changed: boolean;
}

/** Conflicts with the managers they name. */
class ConflictsOf extends Error {
  override readonly name = "ConflictsOf";
  readonly managed: Managed;
  readonly conflicts: Conflicts;

  constructor(managed: Managed, conflicts: Conflicts) {
    super(conflicts.message);
    this.managed = managed;
    this.conflicts = conflicts;
  }
}

function decodeForApply(live: JsonMap | undefined): Managed {
  try {
    return decodeManagedFields(entriesOf(live), true);
  } catch (error) {
    if (!(error instanceof FieldsError)) throw error;
    throw unknownError(`failed to decode managed fields: ${error.message}`);
  }
}

function kindOf(config: JsonMap): GroupVersionKind {
  const none = { group: "", version: "", kind: "" };
  const groupVersion = parseApiVersion(stringAt(config, "apiVersion"));
  return groupVersion === undefined ? none : { ...groupVersion, kind: stringAt(config, "kind") };
}

function stringAt(map: JsonMap, name: string): string {
  const value: Json = map[name];
  return typeof value === "string" ? value : "";
}

function metadataOf(object: JsonMap | undefined): JsonMap {
  const metadata = object?.["metadata"];
  return isMap(metadata) ? metadata : {};
}

function entriesOf(object: JsonMap | undefined): ManagedFieldsEntry[] | undefined {
  const entries = metadataOf(object)["managedFields"];
  return Array.isArray(entries) ? (entries as ManagedFieldsEntry[]) : undefined;
}

function withoutManagedFields(object: JsonMap): JsonMap {
  const { metadata } = object as { metadata?: Json };
  if (!isMap(metadata) || metadata["managedFields"] === undefined) return object;
  return withManagedFields(object, undefined);
}

function withManagedFields(
  object: JsonMap,
  managedFields: ManagedFieldsEntry[] | undefined,
): JsonMap {
  const { managedFields: _dropped, ...metadata } = metadataOf(object);
  const kept = managedFields === undefined ? metadata : { ...metadata, managedFields };
  const out: JsonMap = { ...object };
  put(out, "metadata", kept);
  return out;
}

/** Keeps kubectl's annotation in step while the object carries it. */
function syncLastApplied(object: JsonMap, config: JsonMap): void {
  const annotations = metadataOf(object)["annotations"];
  if (!isMap(annotations) || stringAt(annotations, LAST_APPLIED) === "") return;
  const updated = { ...annotations, [LAST_APPLIED]: lastAppliedValue(config) };
  if (!withinSize(updated)) delete (updated as JsonMap)[LAST_APPLIED];
  metadataOf(object)["annotations"] = updated;
}
