/**
 * Brings the default roles and bindings to at least what they should be, and takes nothing away.
 * Upstream: pkg/registry/rbac/reconciliation and rest/storage_rbac.go (post-start hook
 * rbac/bootstrap-roles).
 */
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import type { GroupVersionResource } from "../../apimachinery/runtime/gvk.ts";
import type { AggregationRule, PolicyRule, RoleRef, Subject } from "../../apis/rbac/v1/types.ts";
import { rbacBootstrapObjects } from "./bootstrap.ts";
import { uncoveredRules } from "./rule-coverage.ts";

/** The few calls reconciliation needs; the loopback client has them. */
export interface ObjectClient {
  /** All objects, of every namespace. */
  list(of: GroupVersionResource): Promise<readonly KubeObject[]>;
  /** Undefined when there is no such object. */
  get(of: GroupVersionResource, namespace: string, name: string): Promise<KubeObject | undefined>;
  create(of: GroupVersionResource, namespace: string, object: KubeObject): Promise<unknown>;
  update(of: GroupVersionResource, namespace: string, object: KubeObject): Promise<unknown>;
  delete(of: GroupVersionResource, namespace: string, name: string, uid: string): Promise<unknown>;
}

const AUTO_UPDATE = "rbac.authorization.kubernetes.io/autoupdate";
const TRIES_MAX = 3;
/** Calls under way at once: they share the store's commits. */
const PARALLEL = 32;
const resource = (plural: string): GroupVersionResource => ({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  resource: plural,
});

interface RoleObject extends KubeObject {
  rules?: PolicyRule[] | null;
  aggregationRule?: AggregationRule;
}
interface BindingObject extends KubeObject {
  subjects?: Subject[] | null;
  roleRef?: RoleRef;
}

/**
 * Reconciles every default object. Rejects with the first failure after trying all of them; calling
 * it again is safe. The namespaces kube-system and kube-public must exist.
 */
export async function reconcileRbac(client: ObjectClient): Promise<void> {
  const objects = rbacBootstrapObjects();
  const failures: unknown[] = [];
  const all = async (plural: string, wanted: readonly KubeObject[], merge: MergeRule) => {
    const of = resource(plural);
    const found = new Map((await client.list(of)).map((one) => [keyOf(one), one]));
    const waiting = [...wanted];
    const work = async () => {
      for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
        try {
          await reconcile(client, of, one, found.get(keyOf(one)), merge);
        } catch (error) {
          failures.push(error);
        }
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, work));
  };
  await all("clusterroles", objects.clusterRoles, mergeRole);
  await all("clusterrolebindings", objects.clusterRoleBindings, mergeBinding);
  await all("roles", objects.roles, mergeRole);
  await all("rolebindings", objects.roleBindings, mergeBinding);
  if (failures.length > 0) throw failures[0];
}

function keyOf({ metadata = {} }: KubeObject): string {
  return `${metadata.namespace ?? ""}/${metadata.name ?? ""}`;
}

/** What to do about an object that exists. */
export type Merge =
  | { readonly kind: "keep" }
  | { readonly kind: "update"; readonly object: KubeObject }
  | { readonly kind: "recreate" };

type MergeRule = (wanted: KubeObject, found: KubeObject) => Merge;

async function reconcile(
  client: ObjectClient,
  of: GroupVersionResource,
  wanted: KubeObject,
  listed: KubeObject | undefined,
  merge: MergeRule,
): Promise<void> {
  let found = listed;
  for (let tries = 1; ; tries++) {
    try {
      await apply(client, of, wanted, found, merge);
      return;
    } catch (error) {
      // Another server got in between: look again.
      if (!isRace(error) || tries >= TRIES_MAX) throw error;
      const { name = "", namespace = "" } = wanted.metadata ?? {};
      found = await client.get(of, namespace, name);
    }
  }
}

async function apply(
  client: ObjectClient,
  of: GroupVersionResource,
  wanted: KubeObject,
  found: KubeObject | undefined,
  merge: MergeRule,
): Promise<void> {
  const { name = "", namespace = "" } = wanted.metadata ?? {};
  if (found === undefined) {
    await client.create(of, namespace, wanted);
    return;
  }
  const plan = merge(wanted, found);
  if (plan.kind === "keep") return;
  if (plan.kind === "update") {
    await client.update(of, namespace, plan.object);
    return;
  }
  await client.delete(of, namespace, name, found.metadata?.uid ?? "");
  await client.create(of, namespace, wanted);
}

function isRace(error: unknown): boolean {
  const { reason } = error as { reason?: unknown };
  return ["Conflict", "AlreadyExists", "NotFound"].includes(String(reason));
}

/** Adds missing rules and selectors. */
export function mergeRole(wanted: RoleObject, found: RoleObject): Merge {
  if (isProtected(found)) return { kind: "keep" };
  const metadata = mergedMetadata(wanted, found);
  const held = found.rules ?? [];
  const missing =
    wanted.aggregationRule === undefined ? uncoveredRules(held, wanted.rules ?? []) : [];
  const selectors = found.aggregationRule?.clusterRoleSelectors ?? [];
  const known = new Set(selectors.map((one) => JSON.stringify(one)));
  const missingSelectors = (wanted.aggregationRule?.clusterRoleSelectors ?? []).filter(
    (one) => !known.has(JSON.stringify(one)),
  );
  if (metadata === undefined && missing.length === 0 && missingSelectors.length === 0) {
    return { kind: "keep" };
  }
  const object: RoleObject = { ...found, ...(metadata === undefined ? {} : { metadata }) };
  if (missing.length > 0) object.rules = [...held, ...missing];
  if (missingSelectors.length > 0) {
    object.aggregationRule = { clusterRoleSelectors: [...selectors, ...missingSelectors] };
  }
  return { kind: "update", object };
}

/** Adds missing subjects; another role needs another binding, for a roleRef never changes. */
export function mergeBinding(wanted: BindingObject, found: BindingObject): Merge {
  if (isProtected(found)) return { kind: "keep" };
  const text = ({ apiGroup = "", kind = "", name = "" }: RoleRef = {}) =>
    JSON.stringify([apiGroup, kind, name]);
  if (text(wanted.roleRef) !== text(found.roleRef)) return { kind: "recreate" };
  const metadata = mergedMetadata(wanted, found);
  const held = found.subjects ?? [];
  const missing = (wanted.subjects ?? []).filter(
    (one) => !held.some((other) => sameSubject(one, other)),
  );
  if (metadata === undefined && missing.length === 0) return { kind: "keep" };
  const object: BindingObject = { ...found, ...(metadata === undefined ? {} : { metadata }) };
  if (missing.length > 0) object.subjects = [...held, ...missing];
  return { kind: "update", object };
}

function sameSubject(a: Subject, b: Subject): boolean {
  const parts = ({ kind = "", apiGroup = "", name = "", namespace = "" }: Subject) =>
    JSON.stringify([kind, apiGroup, name, namespace]);
  return parts(a) === parts(b);
}

function isProtected({ metadata }: KubeObject): boolean {
  return metadata?.annotations?.[AUTO_UPDATE] === "false";
}

/** Labels and annotations that are missing, added; what is there stays. Undefined: nothing to add. */
function mergedMetadata(wanted: KubeObject, found: KubeObject): KubeObject["metadata"] {
  const { labels = {}, annotations = {} } = wanted.metadata ?? {};
  const own = found.metadata ?? {};
  const lacks = (want: Record<string, string>, have: Record<string, string> = {}) =>
    Object.keys(want).some((key) => !(key in have));
  if (!lacks(labels, own.labels) && !lacks(annotations, own.annotations)) return undefined;
  return {
    ...own,
    labels: { ...labels, ...own.labels },
    annotations: { ...annotations, ...own.annotations },
  };
}
