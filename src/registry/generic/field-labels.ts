/**
 * Field labels that are not a path of the stored object, or whose text for a zero value differs
 * from what storage reads there. Upstream: the ToSelectableFields of each registry.
 */

interface StoredField {
  readonly path: string;
  /** How the label shows a field that is absent from the stored JSON. */
  readonly zero?: string;
}

const EVENT_LABELS: Readonly<Record<string, StoredField>> = {
  source: { path: "source.component" },
  reportingController: { path: "reportingComponent" },
};
const FIELDS: Readonly<Record<string, Readonly<Record<string, StoredField>>>> = {
  events: EVENT_LABELS,
  jobs: { "status.successful": { path: "status.succeeded", zero: "0" } },
  nodes: { "spec.unschedulable": { path: "spec.unschedulable", zero: "false" } },
  pods: { "spec.hostNetwork": { path: "spec.hostNetwork", zero: "false" } },
};

/** The path in the stored object behind a resource's field label. */
export function storedFieldPath(resource: string, label: string): string {
  if (resource === "events" && label.startsWith("regarding.")) {
    return label.replace("regarding.", "involvedObject.");
  }
  return FIELDS[resource]?.[label]?.path ?? label;
}

/** The value storage has where a selector says `value`: nothing for the label's zero. */
export function storedFieldValue(resource: string, label: string, value: string): string {
  const zero = FIELDS[resource]?.[label]?.zero;
  if (zero === undefined) return value;
  // A label with a zero text is never empty: whatever no object has there matches none.
  return value === zero ? "" : value === "" ? "\0" : value;
}
