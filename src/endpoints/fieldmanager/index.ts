/** What handlers and strategies use of field management. */
export { ignoreManagedFieldsTimestamps } from "./equality.ts";
export {
  createFieldManager,
  type FieldManager,
  type FieldManagerOptions,
} from "./field-manager.ts";
export { checkAfterAdmission } from "./managed-fields.ts";
export { managerOrUserAgent } from "./managers.ts";
export {
  deduced,
  type MergeField,
  type MergeList,
  MergeMap,
  type MergeType,
  mergeType,
  mergeTypeOf,
  untypedAtomic,
} from "./merge-type.ts";
export { excludeFields, type FieldPath, includeFields } from "./reset-fields.ts";
export { type ResourcePathMappings, ScaleHandler } from "./scale-handler.ts";
export { structuralMergeType } from "./structural-type.ts";
export type { FieldFilter } from "./updater.ts";
