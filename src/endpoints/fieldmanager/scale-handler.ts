/**
 * Managed fields of the scale subresource: the owner of the parent's replicas field owns
 * `spec.replicas` of the Scale, and the other way round.
 * Upstream: apimachinery/pkg/util/managedfields/scalehandler.go.
 */
import type { ManagedFieldsEntry } from "../../apimachinery/meta/types.ts";
import { FieldSet } from "./field-set.ts";
import {
  copyManaged,
  decodeManagedFields,
  emptyManaged,
  encodeManagedFields,
} from "./managed-fields.ts";

const SCALE_API_VERSION = "autoscaling/v1";
const REPLICAS = ["f:spec", "f:replicas"] as const;

/**
 * By apiVersion of the parent: the names that lead to its replicas field, or undefined for a
 * version without one. A version that is not in the map is unknown.
 */
export type ResourcePathMappings = ReadonlyMap<string, readonly string[] | undefined>;

export class ScaleHandler {
  readonly #parentEntries: readonly ManagedFieldsEntry[] | undefined;
  readonly #apiVersion: string;
  readonly #mappings: ResourcePathMappings;

  /** `apiVersion` is the parent's, of the request. */
  constructor(
    parentEntries: readonly ManagedFieldsEntry[] | undefined,
    apiVersion: string,
    mappings: ResourcePathMappings,
  ) {
    this.#parentEntries = parentEntries;
    this.#apiVersion = apiVersion;
    this.#mappings = mappings;
  }

  /** The entries of the Scale. Throws FieldsError when the parent's are malformed. */
  toSubresource(): ManagedFieldsEntry[] | undefined {
    const parent = decodeManagedFields(this.#parentEntries, true);
    const scale = { ...emptyManaged(), infos: parent.infos };
    for (const [manager, { set, apiVersion, applied }] of parent.fields) {
      const path = this.#pathIn(apiVersion);
      if (path === undefined || !set.has(path)) continue;
      const owned = FieldSet.ofPaths(REPLICAS);
      scale.fields.set(manager, { set: owned, apiVersion: SCALE_API_VERSION, applied });
      scale.times.set(manager, parent.times.get(manager));
    }
    return encodeManagedFields(scale);
  }

  /** The parent's entries after a write to the Scale left `scaleEntries`. Throws FieldsError. */
  toParent(
    scaleEntries: readonly ManagedFieldsEntry[] | undefined,
  ): ManagedFieldsEntry[] | undefined {
    const parent = decodeManagedFields(this.#parentEntries, true);
    const scale = copyManaged(decodeManagedFields(scaleEntries, false));
    const infos = new Map([...scale.infos, ...parent.infos]);
    const result = { ...emptyManaged(), infos };
    for (const [manager, owned] of parent.fields) {
      if (!this.#mappings.has(owned.apiVersion)) continue;
      const path = this.#pathIn(owned.apiVersion);
      let { set } = owned;
      if (path !== undefined && set.has(path)) {
        // The manager lost the replicas to another one, unless it has them in the Scale as well.
        if (scale.fields.has(manager)) scale.fields.delete(manager);
        else set = set.difference(FieldSet.ofPaths(path));
        if (set.isEmpty) continue;
      }
      result.fields.set(manager, { ...owned, set });
      result.times.set(manager, parent.times.get(manager));
    }
    for (const [manager, { set, applied }] of scale.fields) {
      const path = this.#pathIn(this.#apiVersion);
      if (!set.has(REPLICAS) || path === undefined) continue;
      const owned = FieldSet.ofPaths(path);
      result.fields.set(manager, { set: owned, apiVersion: this.#apiVersion, applied });
      // Upstream takes the parent's time, and a manager new to the parent has none.
      result.times.set(manager, parent.times.get(manager));
    }
    return encodeManagedFields(result);
  }

  #pathIn(apiVersion: string): readonly string[] | undefined {
    return this.#mappings.get(apiVersion)?.map((name) => `f:${name}`);
  }
}
