/**
 * Label selectors: the grammar of `?labelSelector=` and of LabelSelector objects, and matching.
 * Upstream: apimachinery/pkg/labels/selector.go.
 */
export type LabelOperator = "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt";
export interface LabelRequirement {
  readonly key: string;
  readonly operator: LabelOperator;
  readonly values: readonly string[];
}
/** All requirements hold. An empty list selects everything. */
export interface LabelSelector {
  readonly requirements: readonly LabelRequirement[];
  /** Selects nothing, whatever the labels (upstream's labels.Nothing). */
  readonly nothing?: boolean;
}
