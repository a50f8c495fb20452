/**
 * Roles and bindings, indexed by who they are for. A decision touches only the bindings of the
 * asking user and its groups; a change touches only the object that changed.
 * Upstream: plugin/pkg/auth/authorizer/rbac/rbac.go and pkg/registry/rbac/validation/rule.go.
 */
import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  Role,
  RoleBinding,
  RoleRef,
  Subject,
} from "../../apis/rbac/v1/types.ts";
import type { UserInfo } from "../../request/user-info.ts";
import { type CompiledRules, compileRules } from "./rules.ts";

/** One binding as it applies to one user. Texts are made when they are asked for. */
export interface Grant {
  /** Undefined when the role is missing; then `missing` says so. */
  readonly rules: CompiledRules | undefined;
  readonly missing: string;
  /** `RBAC: allowed by ClusterRoleBinding "x" of ClusterRole "y" to Group "z"`. */
  readonly reason: string;
}

interface Binding {
  readonly key: string;
  /** "" for a ClusterRoleBinding. */
  readonly namespace: string;
  readonly name: string;
  readonly roleRef: RoleRef;
  /** By subject key: how the subject is named in reasons; the first of a binding counts. */
  readonly subjects: ReadonlyMap<string, string>;
}

type Bindings = Map<string, Binding>;

/** Keys of the subjects that stand for a user: itself and its groups. */
function subjectKeysOf({ name, groups }: UserInfo): string[] {
  return [`u:${name}`, ...groups.map((group) => `g:${group}`)];
}

export class RbacIndex {
  readonly #clusterRoles = new Map<string, CompiledRules>();
  readonly #roles = new Map<string, CompiledRules>();
  readonly #bindings = new Map<string, Binding>();
  readonly #clusterWide = new Map<string, Bindings>();
  /** By subject key, then namespace. */
  readonly #namespaced = new Map<string, Map<string, Bindings>>();
  #generation = 0;

  /** Changes whenever a decision may have changed. */
  get generation(): number {
    return this.#generation;
  }

  setClusterRole({ metadata, rules }: ClusterRole): void {
    this.#clusterRoles.set(metadata?.name ?? "", compileRules(rules ?? []));
    this.#generation++;
  }
  removeClusterRole({ metadata }: ClusterRole): void {
    this.#clusterRoles.delete(metadata?.name ?? "");
    this.#generation++;
  }
  setRole({ metadata, rules }: Role): void {
    this.#roles.set(keyOf(metadata), compileRules(rules ?? []));
    this.#generation++;
  }
  removeRole({ metadata }: Role): void {
    this.#roles.delete(keyOf(metadata));
    this.#generation++;
  }
  setBinding({ metadata, subjects, roleRef }: RoleBinding | ClusterRoleBinding): void {
    const namespace = metadata?.namespace ?? "";
    const key = keyOf(metadata);
    this.#drop(key);
    const binding: Binding = {
      key,
      namespace,
      name: metadata?.name ?? "",
      roleRef: roleRef ?? {},
      subjects: subjectsOf(subjects ?? [], namespace),
    };
    this.#bindings.set(key, binding);
    for (const subject of binding.subjects.keys()) {
      this.#bindingsOf(subject, namespace).set(key, binding);
    }
    this.#generation++;
  }
  removeBinding({ metadata }: RoleBinding | ClusterRoleBinding): void {
    this.#drop(keyOf(metadata));
    this.#generation++;
  }

  #drop(key: string): void {
    const old = this.#bindings.get(key);
    if (old === undefined) return;
    this.#bindings.delete(key);
    for (const subject of old.subjects.keys()) {
      const bindings = this.#bindingsOf(subject, old.namespace);
      bindings.delete(key);
      if (bindings.size > 0) continue;
      if (old.namespace === "") {
        this.#clusterWide.delete(subject);
        continue;
      }
      const byNamespace = this.#namespaced.get(subject);
      byNamespace?.delete(old.namespace);
      if (byNamespace?.size === 0) this.#namespaced.delete(subject);
    }
  }

  #bindingsOf(subject: string, namespace: string): Bindings {
    if (namespace === "") return getOrMake(this.#clusterWide, subject, () => new Map());
    const byNamespace = getOrMake(this.#namespaced, subject, () => new Map<string, Bindings>());
    return getOrMake(byNamespace, namespace, () => new Map());
  }

  /** The cluster-wide grants of `user`, by binding name. */
  clusterGrants(user: UserInfo): Grant[] {
    return this.#grants(user, (subject) => this.#clusterWide.get(subject));
  }

  /** The grants of `user` in one namespace, by binding name. */
  namespaceGrants(user: UserInfo, namespace: string): Grant[] {
    return this.#grants(user, (subject) => this.#namespaced.get(subject)?.get(namespace));
  }

  #grants(user: UserInfo, of: (subject: string) => Bindings | undefined): Grant[] {
    const found = new Map<string, Binding>();
    for (const subject of subjectKeysOf(user)) {
      for (const [key, binding] of of(subject) ?? NO_BINDINGS) found.set(key, binding);
    }
    const sorted = [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    return sorted.map((one) => new UserGrant(this.rulesOf(one.roleRef, one.namespace), one, user));
  }

  /** The rules a binding in `namespace` refers to; undefined when the role does not exist. */
  rulesOf(roleRef: RoleRef, namespace: string): CompiledRules | undefined {
    const name = roleRef.name ?? "";
    if (roleRef.kind === "ClusterRole") return this.#clusterRoles.get(name);
    return roleRef.kind === "Role" ? this.#roles.get(`${namespace}/${name}`) : undefined;
  }

  /** Every rule `user` has in `namespace` ("": cluster-wide only), and what could not be read. */
  rulesFor(user: UserInfo, namespace: string): { rules: PolicyRule[]; errors: string[] } {
    const grants = this.clusterGrants(user);
    if (namespace !== "") grants.push(...this.namespaceGrants(user, namespace));
    return {
      rules: grants.flatMap(({ rules }) => rules?.rules ?? []),
      errors: grants.map(({ missing }) => missing).filter((text) => text !== ""),
    };
  }
}

const NO_BINDINGS: ReadonlyMap<string, Binding> = new Map();

class UserGrant implements Grant {
  readonly rules: CompiledRules | undefined;
  readonly #binding: Binding;
  readonly #user: UserInfo;

  constructor(rules: CompiledRules | undefined, binding: Binding, user: UserInfo) {
    this.rules = rules;
    this.#binding = binding;
    this.#user = user;
  }

  get missing(): string {
    if (this.rules !== undefined) return "";
    const { kind, name = "" } = this.#binding.roleRef;
    const what = kind === "ClusterRole" ? "clusterrole" : "role";
    return `${what}.rbac.authorization.k8s.io ${quote(name)} not found`;
  }

  get reason(): string {
    const { namespace, name, roleRef } = this.#binding;
    const role = `${roleRef.kind ?? ""} ${quote(roleRef.name ?? "")}`;
    const who = whoOf(this.#binding, this.#user);
    const binding =
      namespace === ""
        ? `ClusterRoleBinding ${quote(name)}`
        : `RoleBinding ${quote(`${name}/${namespace}`)}`;
    return `RBAC: allowed by ${binding} of ${role} to ${who}`;
  }
}

function subjectsOf(subjects: readonly Subject[], namespace: string): Map<string, string> {
  const keys = new Map<string, string>();
  for (const { kind, name = "", namespace: own = "" } of subjects) {
    const add = (key: string, text: string) => {
      if (!keys.has(key)) keys.set(key, text);
    };
    if (kind === "User") add(`u:${name}`, `User ${quote(name)}`);
    else if (kind === "Group") add(`g:${name}`, `Group ${quote(name)}`);
    else if (kind === "ServiceAccount") {
      // Without a namespace of its own it means the binding's, and nobody in a cluster binding.
      const at = own === "" ? namespace : own;
      if (at === "") continue;
      add(`u:system:serviceaccount:${at}:${name}`, `ServiceAccount ${quote(`${name}/${own}`)}`);
    }
  }
  return keys;
}

/** The first of the binding's subjects that is this user. */
function whoOf({ subjects }: Binding, user: UserInfo): string {
  const mine = new Set(subjectKeysOf(user));
  for (const [key, text] of subjects) if (mine.has(key)) return text;
  return "";
}

function keyOf(metadata: { namespace?: string | undefined; name?: string | undefined } = {}) {
  return `${metadata.namespace ?? ""}/${metadata.name ?? ""}`;
}

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

const quote = (text: string) => JSON.stringify(text);
