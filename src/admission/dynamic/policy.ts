/**
 * Admission policies and their bindings, compiled; params; and which of them a request meets.
 * Upstream: apiserver/pkg/admission/plugin/policy/generic.
 */
import { labelSelectorAsSelector, labelsMatch } from "../../apimachinery/labels/selector.ts";
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import type { ExpressionScope } from "../../apis/admissionregistration/cel-environment.ts";
import type {
  MatchCondition,
  MatchResources,
  ParamKind,
  ParamRef,
  Variable,
} from "../../apis/admissionregistration/v1/types.ts";
import { PER_CALL_LIMIT } from "../../apis/cel/compile.ts";
import type { Activation } from "../../apis/cel/frame.ts";
import { type CelType, DYN, objectType } from "../../apis/cel/types.ts";
import { CelError, CelMap, type CelValue } from "../../apis/cel/values.ts";
import type { Listers } from "../plugin.ts";
import { type Budget, type Expression, expressionOf, MatchConditions } from "./expressions.ts";
import { type Criteria, criteriaOf, type Request } from "./rules.ts";
import type { VersionedKind, Versions } from "./versions.ts";

/** What validating and mutating policies have in common. */
export interface PolicySpec {
  readonly paramKind?: ParamKind | undefined;
  readonly matchConstraints?: MatchResources | undefined;
  readonly matchConditions?: readonly MatchCondition[] | undefined;
  readonly variables?: readonly Variable[] | undefined;
  readonly failurePolicy?: string | undefined;
}

export interface BindingSpec {
  readonly policyName?: string | undefined;
  readonly paramRef?: ParamRef | undefined;
  readonly matchResources?: MatchResources | undefined;
}

export interface CompiledBinding<B extends BindingSpec> {
  readonly name: string;
  readonly spec: B;
  readonly criteria: Criteria;
}

/** A policy with its bindings. `own`: what only this kind of policy has. */
export interface CompiledPolicy<P extends PolicySpec, B extends BindingSpec, O> {
  readonly name: string;
  readonly spec: P;
  readonly criteria: Criteria;
  readonly conditions: MatchConditions;
  readonly variables: readonly (readonly [name: string, expression: Expression])[];
  readonly failsOpen: boolean;
  readonly bindings: readonly CompiledBinding<B>[];
  readonly own: O;
}

function criteriaFor(match: MatchResources | undefined, open: boolean): Criteria {
  const of = match ?? {};
  return criteriaOf(of, of.resourceRules ?? [], of.excludeResourceRules ?? [], open);
}

/** Compiles policies that have a binding; `compile` gets what their expressions may name. */
export function compilePolicies<P extends PolicySpec, B extends BindingSpec, O>(
  policies: readonly KubeObject[],
  bindings: readonly KubeObject[],
  compile: (spec: P, scope: ExpressionScope) => O,
): readonly CompiledPolicy<P, B, O>[] {
  const byPolicy = new Map<string, CompiledBinding<B>[]>();
  for (const one of bindings as readonly (KubeObject & { readonly spec?: B })[]) {
    if (one.spec === undefined) continue;
    const { policyName = "" } = one.spec;
    const compiled = {
      name: one.metadata?.name ?? "",
      spec: one.spec,
      criteria: criteriaFor(one.spec.matchResources, true),
    };
    byPolicy.set(policyName, [...(byPolicy.get(policyName) ?? []), compiled]);
  }
  return (policies as readonly (KubeObject & { readonly spec?: P })[]).flatMap((one) => {
    const name = one.metadata?.name ?? "";
    const bound = byPolicy.get(name) ?? [];
    if (one.spec === undefined || bound.length === 0) return [];
    return [compilePolicy(name, one.spec, bound, compile)];
  });
}

function compilePolicy<P extends PolicySpec, B extends BindingSpec, O>(
  name: string,
  spec: P,
  bindings: readonly CompiledBinding<B>[],
  compile: (spec: P, scope: ExpressionScope) => O,
): CompiledPolicy<P, B, O> {
  const params = spec.paramKind !== undefined;
  const known = new Map<string, CelType>();
  const variables: [string, Expression][] = [];
  for (const { name: variable = "", expression = "" } of spec.variables ?? []) {
    const compiled = expressionOf(expression, {
      params,
      authorizer: true,
      variables: new Map(known),
    });
    known.set(variable, compiled.problem === undefined ? compiled.compiled.type : DYN);
    variables.push([variable, compiled]);
  }
  const scope = { params, authorizer: true, variables: known };
  return {
    name,
    spec,
    criteria: criteriaFor(spec.matchConstraints, false),
    conditions: new MatchConditions(spec.matchConditions, params),
    variables,
    failsOpen: spec.failurePolicy === "Ignore",
    bindings,
    own: compile(spec, scope),
  };
}

/** `variables.x`: computed when first named, once, and paid for by who names it. */
class PolicyVariables extends CelMap {
  readonly #expressions: ReadonlyMap<string, Expression>;
  readonly #variables: Activation;
  readonly #budget: Budget;
  readonly #known = new Map<string, CelValue | CelError>();
  constructor(
    expressions: readonly (readonly [string, Expression])[],
    variables: Activation,
    budget: Budget,
  ) {
    super();
    this.#expressions = new Map(expressions);
    this.#variables = variables;
    this.#budget = budget;
  }
  override get type(): CelType {
    return objectType("kubernetes.variables", {});
  }
  get size(): number {
    return this.#expressions.size;
  }
  keys(): Iterable<string> {
    return this.#expressions.keys();
  }
  get(key: CelValue): CelValue | undefined {
    if (typeof key !== "string") return undefined;
    const known = this.#known.get(key) ?? this.#compute(key);
    if (known === undefined) return undefined;
    this.#known.set(key, known);
    if (known instanceof CelError) {
      throw new CelError(
        `composited variable ${JSON.stringify(key)} fails to evaluate: ${known.message}`,
      );
    }
    return known;
  }
  #compute(name: string): CelValue | CelError | undefined {
    const expression = this.#expressions.get(name);
    if (expression === undefined) return undefined;
    if (expression.program === undefined) return new CelError(expression.problem ?? "");
    const { value, cost } = expression.program.run(this.#variables, PER_CALL_LIMIT);
    this.#budget.spend(cost);
    return value;
  }
}

/** The variables of a request with the policy's own. */
export function withVariables(
  base: Activation,
  expressions: readonly (readonly [string, Expression])[],
  budget: Budget,
): Activation {
  if (expressions.length === 0) return base;
  const all: Activation = (name) => (name === "variables" ? own : base(name));
  const own: CelValue = new PolicyVariables(expressions, all, budget);
  return all;
}

/**
 * The params a binding refers to; null stands for none where none are needed. Throws an Error whose
 * message says what is wrong with the binding.
 */
export async function paramsOf(
  { paramKind }: PolicySpec,
  { paramRef }: BindingSpec,
  request: Request,
  versions: Versions,
  listers: Listers,
): Promise<readonly (KubeObject | null)[]> {
  if (paramKind === undefined) return [null];
  const { apiVersion = "", kind = "" } = paramKind;
  const resource = versions.resourceOf(apiVersion, kind);
  if (resource === undefined) {
    throw new Error(`paramKind kind \`${apiVersion}, Kind=${kind}\` not known`);
  }
  if (paramRef === undefined) return [null];
  const namespace = paramNamespace(paramRef, resource.namespaced, request);
  const found = await findParams(paramRef, resource, namespace, listers);
  if (found.length === 0 && paramRef.parameterNotFoundAction === "Deny") {
    throw new Error("no params found for policy binding with `Deny` parameterNotFoundAction");
  }
  return found.map((one) => versions.convert(one, resource, ""));
}

function paramNamespace(ref: ParamRef, namespaced: boolean, request: Request): string {
  const { namespace = "" } = ref;
  if (!namespaced) {
    if (namespace === "") return "";
    throw new Error("paramRef.namespace must not be provided for a cluster-scoped `paramKind`");
  }
  if (namespace !== "") return namespace;
  if (request.namespace !== "") return request.namespace;
  throw new Error(
    "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources",
  );
}

async function findParams(
  { name = "", selector }: ParamRef,
  { resource }: VersionedKind,
  namespace: string,
  listers: Listers,
): Promise<readonly KubeObject[]> {
  if (name !== "") {
    const found = await listers.get(resource, namespace, name);
    return found === undefined ? [] : [found];
  }
  const all = await listers.list(resource, namespace);
  if (selector === undefined) return all;
  const wanted = labelSelectorAsSelector(selector);
  return all.filter(({ metadata }) => labelsMatch(wanted, metadata?.labels));
}
