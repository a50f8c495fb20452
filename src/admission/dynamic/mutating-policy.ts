/**
 * MutatingAdmissionPolicy: expressions that make an apply configuration or a JSON patch.
 * Upstream: apiserver/pkg/admission/plugin/policy/mutating.
 */
import { isDeepStrictEqual } from "node:util";
import { internalError, StatusError } from "../../apimachinery/api/errors.ts";
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import type { ExpressionScope } from "../../apis/admissionregistration/cel-environment.ts";
import type {
  MutatingAdmissionPolicyBindingSpec,
  MutatingAdmissionPolicySpec,
} from "../../apis/admissionregistration/v1/types.ts";
import { RUNTIME_BUDGET } from "../../apis/cel/compile.ts";
import { CelMessage } from "../../apis/cel/message.ts";
import { toJson } from "../../apis/cel/to-json.ts";
import { CelError, CelList, CelMap, type CelValue } from "../../apis/cel/values.ts";
import { deny } from "../errors.ts";
import type { AdmissionPlugin, Attributes } from "../plugin.ts";
import { activationOf, authorizerOf, VersionedRequest } from "./activation.ts";
import { Configured, registration } from "./configured.ts";
import { Budget, type Expression, evaluate, expressionOf, OutOfBudget } from "./expressions.ts";
import {
  type CompiledBinding,
  type CompiledPolicy,
  compilePolicies,
  paramsOf,
  withVariables,
} from "./policy.ts";
import {
  beginRound,
  endRound,
  type PluginRound,
  reinvocationOf,
  requireAll,
} from "./reinvocation.ts";
import { matchRequest, namespaceOf } from "./rules.ts";
import { type DynamicDependencies, once } from "./validating-webhook.ts";
import { become, isAdmissionConfiguration, type VersionedKind, type Versions } from "./versions.ts";

interface CompiledMutation {
  readonly isPatch: boolean;
  readonly expression: Expression;
}

type Spec = MutatingAdmissionPolicySpec;
type BindingSpec = MutatingAdmissionPolicyBindingSpec;
type Policy = CompiledPolicy<Spec, BindingSpec, readonly CompiledMutation[]>;
type Binding = CompiledBinding<BindingSpec>;

const NAME = "MutatingAdmissionPolicy";

function compileOwn(spec: Spec, scope: ExpressionScope): readonly CompiledMutation[] {
  const patches = { ...scope, patches: true };
  return (spec.mutations ?? []).map(({ patchType, jsonPatch, applyConfiguration }) => {
    const isPatch = patchType === "JSONPatch";
    const text = (isPatch ? jsonPatch : applyConfiguration)?.expression ?? "";
    return { isPatch, expression: expressionOf(text, patches) };
  });
}

/** What a policy, or one binding of it, can not do about a request. */
class PolicyFault extends Error {
  readonly reason: "" | "Invalid";
  constructor(message: string, reason: "" | "Invalid" = "") {
    super(message);
    this.reason = reason;
  }
}

export function mutatingAdmissionPolicy(of: DynamicDependencies): AdmissionPlugin {
  const configured = new Configured(
    of.listers,
    [registration("mutatingadmissionpolicies"), registration("mutatingadmissionpolicybindings")],
    ([policies = [], bindings = []]) =>
      compilePolicies<Spec, BindingSpec, readonly CompiledMutation[]>(
        policies,
        bindings,
        compileOwn,
      ),
  );
  const run = async (policies: readonly Policy[], attributes: Attributes): Promise<void> => {
    const dispatch = new Dispatch(attributes, of);
    const faults: { readonly text: string; readonly reason: "" | "Invalid" }[] = [];
    for (const policy of policies) {
      await dispatch.policy(policy, (binding, thrown) => {
        if (policy.failsOpen) return;
        const by = binding === undefined ? `policy "${policy.name}"` : boundText(policy, binding);
        faults.push({ text: `${by} denied request: ${thrown.message}`, reason: thrown.reason });
      });
    }
    dispatch.end();
    if (faults.length > 0) throw refused(attributes, faults);
  };
  return {
    name: NAME,
    handles: (request) => !configured.isEmpty && !isAdmissionConfiguration(request),
    admit(attributes) {
      const policies = configured.current();
      if (policies instanceof Promise) return policies.then((all) => run(all, attributes));
      return run(policies, attributes);
    },
  };
}

function boundText({ name }: Policy, binding: Binding): string {
  return `policy '${name}' with binding '${binding.name}'`;
}

function refused(
  attributes: Attributes,
  faults: readonly { readonly text: string; readonly reason: "" | "Invalid" }[],
): StatusError {
  const base = deny(attributes, "");
  const [first] = faults;
  return new StatusError(first?.reason || "Forbidden", first?.text ?? "", {
    code: base.code,
    details: { ...base.details, causes: faults.map(({ text }) => ({ message: text })) },
  });
}

/** The mutating policies of one request. */
class Dispatch {
  readonly #attributes: Attributes;
  readonly #of: DynamicDependencies;
  readonly #round: PluginRound;
  readonly #authorizer: () => CelValue;
  constructor(attributes: Attributes, of: DynamicDependencies) {
    this.#attributes = attributes;
    this.#of = of;
    this.#round = beginRound(attributes, NAME);
    this.#authorizer = once(() => authorizerOf(of.mayUser, attributes.user));
  }

  end(): void {
    endRound(this.#attributes, this.#round);
  }

  async policy(
    policy: Policy,
    report: (binding: Binding | undefined, fault: PolicyFault) => void,
  ): Promise<void> {
    const { versions, listers } = this.#of;
    let binding: Binding | undefined;
    const guard = async (one: Binding | undefined, run: () => Promise<void>) => {
      binding = one;
      try {
        await run();
      } catch (thrown) {
        if (!(thrown instanceof PolicyFault)) throw thrown;
        report(binding, thrown);
      }
    };
    let target: VersionedKind | undefined;
    await guard(undefined, async () => {
      target = await configuring("policy", () =>
        matchRequest(policy.criteria, this.#attributes, versions, listers),
      );
    });
    if (target === undefined) return;
    for (const one of policy.bindings) {
      await guard(one, () => this.#bound(policy, one, target as VersionedKind));
    }
  }

  async #bound(policy: Policy, binding: Binding, target: VersionedKind): Promise<void> {
    const { versions, listers } = this.#of;
    const params = await configuring("binding", async () => {
      const matched = await matchRequest(binding.criteria, this.#attributes, versions, listers);
      if (matched === undefined) return [];
      return paramsOf(policy.spec, binding.spec, this.#attributes, versions, listers);
    });
    const { namespace, kind } = this.#attributes;
    const isNamespace = kind.group === "" && kind.kind === "Namespace";
    const hasNamespace = params.length > 0 && namespace !== "" && !isNamespace;
    const namespaceObject = hasNamespace ? await namespaceOf(namespace, listers) : null;
    for (const one of params) {
      await this.#invoke(policy, binding, target, one, namespaceObject);
    }
  }

  async #invoke(
    policy: Policy,
    binding: Binding,
    target: VersionedKind,
    params: KubeObject | null,
    namespaceObject: KubeObject | null,
  ): Promise<void> {
    const around = { params, namespaceObject, authorizer: this.#authorizer() };
    const see = () => {
      const request = new VersionedRequest(this.#attributes, target, this.#of.versions);
      return { request, variables: activationOf(request, around) };
    };
    const matched = await policy.conditions.match(see().variables);
    if (matched === false) return;
    if (matched !== true) throw new PolicyFault(matched.failed, "Invalid");
    const state = reinvocationOf(this.#attributes);
    const { name = "", namespace = "" } = params?.metadata ?? {};
    const key = [policy.name, binding.name, namespace, name].join("/");
    if (state.again && !this.#round.due.has(key)) return;
    const before = JSON.stringify(this.#attributes.object);
    for (const mutation of policy.own) {
      const { request, variables } = see();
      if (request.object === null) continue;
      const budget = new Budget(RUNTIME_BUDGET);
      const all = withVariables(variables, policy.variables, budget);
      const made = await run(() => evaluate(mutation.expression, all, budget));
      this.#apply(mutation, made, request.object, target);
    }
    if (JSON.stringify(this.#attributes.object) !== before) {
      requireAll(this.#round);
      state.wanted = true;
    }
    if (policy.spec.reinvocationPolicy === "IfNeeded") this.#round.ran.add(key);
  }

  #apply(
    { isPatch }: CompiledMutation,
    made: CelValue,
    object: KubeObject,
    target: VersionedKind,
  ): void {
    const { versions } = this.#of;
    const next = isPatch ? patched(versions, object, made) : merged(versions, object, made, target);
    let read: KubeObject;
    try {
      read = versions.readBack(next, target, this.#attributes.subresource);
    } catch (thrown) {
      throw internalError(thrown instanceof Error ? thrown.message : String(thrown));
    }
    if (!isDeepStrictEqual(read, this.#attributes.object)) become(this.#attributes.object, read);
  }
}

/** A patch whose test does not hold changes nothing. */
function patched(versions: Versions, object: KubeObject, made: CelValue): unknown {
  const operations = operationsOf(made);
  try {
    return versions.patch(object, JSON.stringify(operations));
  } catch (thrown) {
    if (!(thrown instanceof StatusError)) throw thrown;
    if (operations.some(({ op }) => op === "test")) return object;
    throw new PolicyFault(`JSON Patch: ${thrown.message}`, "Invalid");
  }
}

function merged(
  versions: Versions,
  object: KubeObject,
  made: CelValue,
  target: VersionedKind,
): unknown {
  const configuration = configurationOf(made);
  try {
    return versions.apply(object, configuration, target);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new PolicyFault(why, "Invalid");
  }
}

/** Runs `find`; what it throws is a fault of the policy or the binding. */
async function configuring<T>(what: "policy" | "binding", find: () => Promise<T>): Promise<T> {
  try {
    return await find();
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new PolicyFault(`failed to configure ${what}: ${why}`);
  }
}

async function run(call: () => ReturnType<typeof evaluate>): Promise<CelValue> {
  try {
    const result = await call();
    if ("failed" in result) throw new PolicyFault(result.failed, "Invalid");
    return result.value;
  } catch (thrown) {
    if (thrown instanceof OutOfBudget) throw new PolicyFault(thrown.message, "Invalid");
    throw thrown;
  }
}

/** JSON of a value an expression made; objects in it must be named after the fields they are in. */
function jsonOf(value: CelValue): unknown {
  try {
    return toJson(value);
  } catch (thrown) {
    if (!(thrown instanceof CelError)) throw thrown;
    throw new PolicyFault(thrown.message, "Invalid");
  }
}

function checkNames(value: CelValue, path: string): void {
  if (value instanceof CelMessage) {
    if (value.name !== path) {
      throw new PolicyFault(
        `type mismatch: unexpected type name "${value.name}", expected "${path}", which matches field name path from root Object type`,
        "Invalid",
      );
    }
    for (const [field, one] of value.fields) checkNames(one, `${path}.${field}`);
  } else if (value instanceof CelList) {
    for (const one of value) checkNames(one, path);
  } else if (value instanceof CelMap) {
    for (const key of value.keys()) checkNames(value.get(key) ?? null, path);
  }
}

function configurationOf(value: CelValue): unknown {
  checkNames(value, "Object");
  return jsonOf(value);
}

/** The operations of a list of JSONPatch messages. */
function operationsOf(value: CelValue): readonly { readonly op: unknown }[] {
  if (!(value instanceof CelList)) {
    throw new PolicyFault(
      "type mismatch: JSONPatchType.expression should evaluate to array",
      "Invalid",
    );
  }
  return [...value].map((one) => {
    if (!(one instanceof CelMessage)) {
      throw new PolicyFault(
        "type mismatch: JSONPatchType.expression should evaluate to array of JSONPatch",
        "Invalid",
      );
    }
    const inner = one.fields.get("value");
    if (inner instanceof CelMessage) checkNames(inner, inner.name);
    const { op = "", path = "", from = "", value: given } = jsonOf(one) as Record<string, unknown>;
    return {
      op,
      path,
      ...(from === "" ? {} : { from }),
      ...(given === undefined ? {} : { value: given }),
    };
  });
}
