/** Field selectors: `a=b,c!=d`. Upstream: apimachinery/pkg/fields/selector.go. */
export interface FieldRequirement {
  readonly field: string;
  readonly operator: "=" | "!=";
  readonly value: string;
}
export interface FieldSelector {
  readonly requirements: readonly FieldRequirement[];
}
