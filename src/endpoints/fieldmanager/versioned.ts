/**
 * Objects and field sets with the version they are in.
 * Upstream: structured-merge-diff/fieldpath/managers.go and merge/update.go.
 */
import type { FieldSet } from "./field-set.ts";
import type { MergeType } from "./merge-type.ts";
import type { JsonMap } from "./value.ts";

/** What one manager owns, in which version. */
export interface VersionedSet {
  readonly set: FieldSet;
  readonly apiVersion: string;
  readonly applied: boolean;
}
/** By manager identifier. */
export type Managers = Map<string, VersionedSet>;

/** A value in one version of its kind. */
export interface TypedObject {
  readonly apiVersion: string;
  readonly type: MergeType;
  readonly value: JsonMap;
}

/** Gives the object in another version; undefined when that version is not known (any more). */
export type ConvertTyped = (object: TypedObject, apiVersion: string) => TypedObject | undefined;

/** What is left of a set when fields a manager may not set are ignored. */
export type FieldFilter = (set: FieldSet) => FieldSet;

export interface UpdaterOptions {
  readonly convert: ConvertTyped;
  readonly ignoreFilters: ReadonlyMap<string, FieldFilter>;
}

/** The object in a version; undefined when that version is not known. */
export const convertOr = (options: UpdaterOptions, object: TypedObject, apiVersion: string) =>
  object.apiVersion === apiVersion ? object : options.convert(object, apiVersion);
