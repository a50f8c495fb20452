/**
 * A namespace's pods stay within the Pod Security Standard that its labels name; who only breaks
 * the level to warn or audit of is told, or noted. Upstream: pod-security-admission/admission and
 * plugin/pkg/admission/security/podsecurity.
 */
import { aggregate, badRequest, internalError, invalid } from "../../apimachinery/api/errors.ts";
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import type { ErrorList } from "../../apimachinery/validation/field.ts";
import { errorText } from "../../apimachinery/validation/field.ts";
import type { Namespace, Pod, PodTemplateSpec } from "../../apis/core/v1/types.ts";
import { deny } from "../errors.ts";
import type { AdmissionPlugin, Attributes, DeepReadonly, Listers } from "../plugin.ts";
import type { PodToCheck, Violation } from "../pod-security/check.ts";
import { detailsOf, evaluatePod } from "../pod-security/evaluate.ts";
import {
  type Exemptions,
  exemptNamespaceWarning,
  existingPodWarnings,
} from "../pod-security/namespaces.ts";
import {
  compareLevels,
  DEFAULT_POLICY,
  isFullyPrivileged,
  isSame,
  type LevelVersion,
  levelVersionText,
  type Policy,
  PREFIX,
  policyOf,
} from "../pod-security/policy.ts";

const NAMESPACES = { group: "", resource: "namespaces" };
const PODS = { group: "", resource: "pods" };
const IGNORED_SUBRESOURCES = new Set([
  "exec",
  "attach",
  "binding",
  "eviction",
  "log",
  "portforward",
  "proxy",
  "status",
]);
const WORKLOADS = new Set([
  "/podtemplates",
  "/replicationcontrollers",
  "apps/deployments",
  "apps/replicasets",
  "apps/statefulsets",
  "apps/daemonsets",
  "batch/jobs",
  "batch/cronjobs",
]);

export interface PodSecurityOptions {
  readonly defaults?: Policy;
  readonly exemptions?: Exemptions;
  readonly now?: () => number;
}

type Request = DeepReadonly<Attributes>;

export function podSecurity(listers: Listers, options: PodSecurityOptions = {}): AdmissionPlugin {
  const gate = new PodSecurityGate(listers, options);
  return {
    name: "PodSecurity",

    handles({ operation, resource, subresource }) {
      if (operation !== "CREATE" && operation !== "UPDATE") return false;
      const key = `${resource.group}/${resource.resource}`;
      if (key === "/pods") return !IGNORED_SUBRESOURCES.has(subresource);
      return subresource === "" && (key === "/namespaces" || WORKLOADS.has(key));
    },

    async validate(attributes) {
      const { resource } = attributes;
      if (resource.resource === "namespaces") return gate.validateNamespace(attributes);
      if (resource.resource === "pods") return gate.validatePod(attributes);
      return gate.validateWorkload(attributes);
    },
  };
}

class PodSecurityGate {
  readonly #listers: Listers;
  readonly #defaults: Policy;
  readonly #exemptions: Exemptions;
  readonly #now: () => number;

  constructor(listers: Listers, { defaults, exemptions, now }: PodSecurityOptions) {
    this.#listers = listers;
    this.#defaults = defaults ?? DEFAULT_POLICY;
    this.#exemptions = exemptions ?? { usernames: [], runtimeClasses: [], namespaces: [] };
    this.#now = now ?? Date.now;
  }

  async validateNamespace(attributes: Request): Promise<void> {
    const { operation, object, oldObject } = attributes;
    const name = object.metadata?.name ?? attributes.name;
    const labels = object.metadata?.labels;
    const { policy, errors } = policyOf(labels, this.#defaults);
    const isExempt = this.#exemptions.namespaces.includes(name);
    const refuse = () => invalid(attributes.kind, attributes.name, errors);
    const warnExempt = () => {
      const text = exemptNamespaceWarning(name, policy, labels, this.#defaults);
      if (text !== undefined) attributes.addWarning(text);
    };
    if (operation === "CREATE") {
      if (errors.length > 0) throw refuse();
      if (isExempt) warnExempt();
      return;
    }
    const old = policyOf(oldObject?.metadata?.labels, this.#defaults);
    if (errors.length > 0 && !sameErrors(errors, old.errors)) throw refuse();
    if (!isStricter(policy.enforce, old.policy.enforce)) return;
    if (isExempt) {
      warnExempt();
      return;
    }
    const pods = await this.#listers.list<Pod>(PODS, name);
    const exempt = this.#exemptions.runtimeClasses;
    const warnings = existingPodWarnings(name, policy.enforce, pods, exempt, this.#now);
    for (const text of warnings) attributes.addWarning(text);
  }

  async validatePod(attributes: Request): Promise<void> {
    if (this.#isExempt(attributes)) return;
    const { namespace, object, oldObject, operation } = attributes;
    const found = await this.#namespace(namespace);
    if (found === undefined) {
      const error = internalError(`failed to lookup namespace ${JSON.stringify(namespace)}`);
      note(attributes, "error", error.message);
      throw error;
    }
    const { policy, errors } = policyOf(found.metadata?.labels, this.#defaults);
    if (errors.length === 0 && isFullyPrivileged(policy)) {
      note(attributes, "enforce-policy", "privileged:latest");
      return;
    }
    const pod = object as DeepReadonly<Pod>;
    if (operation === "UPDATE") {
      if (oldObject === undefined) throw badRequest("failed to decode old pod");
      if (!isSignificant(pod, oldObject as DeepReadonly<Pod>)) return;
    }
    this.#evaluate(attributes, policy, errors, pod, true);
  }

  async validateWorkload(attributes: Request): Promise<void> {
    if (this.#isExempt(attributes)) return;
    const { namespace } = attributes;
    const found = await this.#namespace(namespace);
    if (found === undefined) {
      const missing = `namespaces ${JSON.stringify(namespace)} not found`;
      note(
        attributes,
        "error",
        `failed to lookup namespace ${JSON.stringify(namespace)}: ${missing}`,
      );
      return;
    }
    const { policy, errors } = policyOf(found.metadata?.labels, this.#defaults);
    const isSilent = policy.warn.level === "privileged" && policy.audit.level === "privileged";
    if (errors.length === 0 && isSilent) return;
    const template = templateOf(attributes.object);
    if (template !== undefined) this.#evaluate(attributes, policy, errors, template, false);
  }

  async #namespace(name: string): Promise<Namespace | undefined> {
    return (
      (await this.#listers.get<Namespace>(NAMESPACES, "", name)) ??
      (await this.#listers.getFresh<Namespace>(NAMESPACES, "", name))
    );
  }

  #isExempt(attributes: Request): boolean {
    const { namespace, user } = attributes;
    if (this.#exemptions.namespaces.includes(namespace)) {
      note(attributes, "exempt", "namespace");
      return true;
    }
    if (user.name === "" || !this.#exemptions.usernames.includes(user.name)) return false;
    note(attributes, "exempt", "user");
    return true;
  }

  #evaluate(
    attributes: Request,
    policy: Policy,
    errors: ErrorList,
    { metadata, spec }: DeepReadonly<PodTemplateSpec>,
    enforce: boolean,
  ): void {
    const { runtimeClassName } = spec ?? {};
    if (runtimeClassName && this.#exemptions.runtimeClasses.includes(runtimeClassName)) {
      note(attributes, "exempt", "runtimeClass");
      return;
    }
    if (errors.length > 0) {
      note(attributes, "error", `Failed to parse policy: ${aggregate(errors)}`);
    }
    const pod = { annotations: metadata?.annotations ?? {}, spec: spec ?? {} };
    const results = new Map<string, readonly Violation[]>();
    const violations = (mode: LevelVersion) => cached(results, mode, pod);
    const say = (mode: LevelVersion) =>
      `violate PodSecurity ${JSON.stringify(levelVersionText(mode))}: ${detailsOf(violations(mode))}`;
    const { enforce: mode, audit, warn } = policy;
    if (enforce) note(attributes, "enforce-policy", levelVersionText(mode));
    if (violations(audit).length > 0) note(attributes, "audit-violations", `would ${say(audit)}`);
    if (enforce && violations(mode).length > 0) {
      throw deny(attributes, `violates${say(mode).slice("violate".length)}`);
    }
    if (violations(warn).length > 0) attributes.addWarning(`would ${say(warn)}`);
  }
}

function cached(
  results: Map<string, readonly Violation[]>,
  mode: LevelVersion,
  pod: PodToCheck,
): readonly Violation[] {
  const key = levelVersionText(mode);
  const known = results.get(key);
  if (known !== undefined) return known;
  const found = evaluatePod(mode, pod);
  results.set(key, found);
  return found;
}

function note(attributes: Request, key: string, text: string): void {
  attributes.addAnnotation(PREFIX + key, text);
}

/** Whether pods that are there already may break the new level and did not break the old. */
function isStricter(next: LevelVersion, old: LevelVersion): boolean {
  if (isSame(next, old) || next.level === "privileged") return false;
  return next.version !== old.version || compareLevels(next.level, old.level) > 0;
}

function sameErrors(a: ErrorList, b: ErrorList): boolean {
  return a.map(errorText).join("\n") === b.map(errorText).join("\n");
}

/** Of what a pod's update can change only images and further containers matter. */
function isSignificant(pod: DeepReadonly<Pod>, old: DeepReadonly<Pod>): boolean {
  for (const list of ["containers", "initContainers"] as const) {
    const next = pod.spec?.[list] ?? [];
    const before = old.spec?.[list] ?? [];
    if (next.length !== before.length) return true;
    if (next.some(({ image }, i) => (image ?? "") !== (before[i]?.image ?? ""))) return true;
  }
  const before = old.spec?.ephemeralContainers ?? [];
  return (pod.spec?.ephemeralContainers ?? []).some(({ name, image }) => {
    const own = before.find((one) => one.name === name);
    return own === undefined || (own.image ?? "") !== (image ?? "");
  });
}

/** The pods a workload will make; undefined for one without a template. */
function templateOf(object: DeepReadonly<KubeObject>): DeepReadonly<PodTemplateSpec> | undefined {
  const { template, spec } = object as {
    readonly template?: PodTemplateSpec;
    readonly spec?: {
      readonly template?: PodTemplateSpec;
      readonly jobTemplate?: { readonly spec?: { readonly template?: PodTemplateSpec } };
    };
  };
  return template ?? spec?.template ?? spec?.jobTemplate?.spec?.template;
}
