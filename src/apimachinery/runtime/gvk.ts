/** Names of API concepts. Upstream: apimachinery/pkg/runtime/schema. */
export interface GroupVersion {
  readonly group: string;
  readonly version: string;
}
export interface GroupVersionKind extends GroupVersion {
  readonly kind: string;
}
export interface GroupResource {
  readonly group: string;
  readonly resource: string;
}
export interface GroupVersionResource extends GroupVersion {
  readonly resource: string;
}

/** `apps/v1`, or just `v1` for the core group: the text of `apiVersion`. */
export function apiVersionOf({ group, version }: GroupVersion): string {
  return group === "" ? version : `${group}/${version}`;
}

/** Parses `apps/v1` or `v1`. Undefined when there is more than one slash. */
export function parseApiVersion(text: string): GroupVersion | undefined {
  const slash = text.indexOf("/");
  if (slash === -1) return { group: "", version: text };
  if (text.indexOf("/", slash + 1) !== -1) return undefined;
  return { group: text.slice(0, slash), version: text.slice(slash + 1) };
}

/** `deployments.apps`, or `pods` for the core group: how messages name a resource. */
export function qualifiedResource({ group, resource }: GroupResource): string {
  return group === "" ? resource : `${resource}.${group}`;
}

/** `Deployment.apps`, or `Pod` for the core group: how 422 messages name a kind. */
export function qualifiedKind({ group, kind }: { group: string; kind: string }): string {
  return group === "" ? kind : `${kind}.${group}`;
}
