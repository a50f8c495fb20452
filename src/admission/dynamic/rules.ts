/**
 * Whether a rule of a webhook or policy is about a request.
 * Upstream: apiserver/pkg/admission/plugin/webhook/predicates.
 */
import { StatusError } from "../../apimachinery/api/errors.ts";
import {
  isEverything,
  type LabelSelector,
  labelSelectorAsSelector,
  labelsMatch,
} from "../../apimachinery/labels/selector.ts";
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import type { GroupVersionResource } from "../../apimachinery/runtime/gvk.ts";
import type { LabelSelectorObject } from "../../apimachinery/validation/labels.ts";
import type {
  NamedRuleWithOperations,
  RuleWithOperations,
} from "../../apis/admissionregistration/v1/types.ts";
import type { Attributes, DeepReadonly, Listers } from "../plugin.ts";
import type { VersionedKind, Versions } from "./versions.ts";

export type Request = DeepReadonly<Attributes>;

const NAMESPACES = { group: "", resource: "namespaces" };

/** Which requests a webhook, a policy or a binding is about. */
export interface Criteria {
  readonly rules: readonly NamedRuleWithOperations[];
  readonly excluded: readonly NamedRuleWithOperations[];
  /** Whether other versions of the request's resource may match. */
  readonly equivalent: boolean;
  /** Whether no rule at all matches everything, as in bindings. */
  readonly openWithoutRules: boolean;
  readonly namespaceSelector: LabelSelector;
  readonly objectSelector: LabelSelector;
}

/** The parts of a MatchResources or of a webhook as criteria. */
export function criteriaOf(
  of: {
    readonly matchPolicy?: string | undefined;
    readonly namespaceSelector?: LabelSelectorObject | undefined;
    readonly objectSelector?: LabelSelectorObject | undefined;
  },
  rules: readonly NamedRuleWithOperations[],
  excluded: readonly NamedRuleWithOperations[] = [],
  openWithoutRules = false,
): Criteria {
  return {
    rules,
    excluded,
    equivalent: of.matchPolicy === "Equivalent",
    openWithoutRules,
    namespaceSelector: labelSelectorAsSelector(of.namespaceSelector ?? {}),
    objectSelector: labelSelectorAsSelector(of.objectSelector ?? {}),
  };
}

function has(list: readonly string[] | undefined, value: string): boolean {
  return list?.some((one) => one === "*" || one === value) ?? false;
}

function isNamespaces({ group, resource }: GroupVersionResource): boolean {
  return group === NAMESPACES.group && resource === NAMESPACES.resource;
}

/** Whether a rule is about the request, were it one for `resource`. */
function ruleMatches(
  rule: RuleWithOperations,
  request: Request,
  resource: GroupVersionResource,
): boolean {
  const { operations, apiGroups, apiVersions, resources = [], scope = "*" } = rule;
  const isNamespaced = request.namespace !== "" && !isNamespaces(request.resource);
  const inScope = scope === "*" || (scope === "Namespaced") === isNamespaced;
  return (
    inScope &&
    has(operations, request.operation) &&
    has(apiGroups, resource.group) &&
    has(apiVersions, resource.version) &&
    resources.some((one) => {
      const [plural = "", subresource = ""] = one.split("/");
      return has([plural], resource.resource) && has([subresource], request.subresource);
    })
  );
}

function namedRuleMatches(
  rule: NamedRuleWithOperations,
  request: Request,
  resource: GroupVersionResource,
): boolean {
  const { resourceNames = [] } = rule;
  if (!ruleMatches(rule, request, resource)) return false;
  return resourceNames.length === 0 || resourceNames.includes(request.name);
}

function matchRules(
  rules: readonly NamedRuleWithOperations[],
  request: Request,
  equivalents: readonly VersionedKind[],
): VersionedKind | undefined {
  const own = { resource: request.resource, kind: request.kind };
  if (rules.some((rule) => namedRuleMatches(rule, request, own.resource))) return own;
  for (const rule of rules) {
    const found = equivalents.find(({ resource }) => namedRuleMatches(rule, request, resource));
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * The version to look at the request in, or undefined when it is none of the criteria's.
 * Throws StatusError when the request's namespace is not there and its labels count.
 */
export async function matchRequest(
  criteria: Criteria,
  request: Request,
  versions: Versions,
  listers: Listers,
): Promise<VersionedKind | undefined> {
  const equivalents = criteria.equivalent
    ? versions.equivalents(request.resource, request.subresource)
    : [];
  if (matchRules(criteria.excluded, request, equivalents) !== undefined) return undefined;
  const everything = criteria.openWithoutRules && criteria.rules.length === 0;
  const matched = everything
    ? { resource: request.resource, kind: request.kind }
    : matchRules(criteria.rules, request, equivalents);
  if (matched === undefined || !objectMatches(criteria.objectSelector, request)) return undefined;
  const inNamespace = await namespaceMatches(criteria.namespaceSelector, request, listers);
  return inNamespace ? matched : undefined;
}

function objectMatches(selector: LabelSelector, { object, oldObject }: Request): boolean {
  if (isEverything(selector)) return true;
  const matches = (one: DeepReadonly<KubeObject> | undefined) =>
    one?.metadata !== undefined && labelsMatch(selector, one.metadata.labels);
  return matches(object) || matches(oldObject);
}

async function namespaceMatches(
  selector: LabelSelector,
  request: Request,
  listers: Listers,
): Promise<boolean> {
  if (isEverything(selector)) return true;
  if (isNamespaces(request.resource)) {
    const { operation, object } = request;
    const isWrite = request.subresource === "" && operation !== "DELETE" && operation !== "CONNECT";
    if (isWrite) return labelsMatch(selector, object.metadata?.labels);
    return labelsMatch(selector, (await namespaceOf(request.name, listers)).metadata?.labels);
  }
  if (request.namespace === "") return true;
  return labelsMatch(selector, (await namespaceOf(request.namespace, listers)).metadata?.labels);
}

/** The namespace, from the store when the cache has not heard of it. Throws StatusError. */
export async function namespaceOf(name: string, listers: Listers): Promise<KubeObject> {
  const found =
    (await listers.get(NAMESPACES, "", name)) ?? (await listers.getFresh(NAMESPACES, "", name));
  if (found !== undefined) return found;
  throw new StatusError("NotFound", `namespaces "${name}" not found`, {
    details: { name, kind: "namespaces" },
  });
}
