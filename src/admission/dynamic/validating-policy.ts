/**
 * ValidatingAdmissionPolicy: expressions that must hold of what is to be stored.
 * Upstream: apiserver/pkg/admission/plugin/policy/validating.
 */
import { StatusError } from "../../apimachinery/api/errors.ts";
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import type { ExpressionScope } from "../../apis/admissionregistration/cel-environment.ts";
import type {
  AuditAnnotation,
  ValidatingAdmissionPolicyBindingSpec,
  ValidatingAdmissionPolicySpec,
  Validation,
} from "../../apis/admissionregistration/v1/types.ts";
import { RUNTIME_BUDGET } from "../../apis/cel/compile.ts";
import type { Activation } from "../../apis/cel/frame.ts";
import { type CelValue, typeNameOf } from "../../apis/cel/values.ts";
import { deny } from "../errors.ts";
import type { AdmissionPlugin } from "../plugin.ts";
import { activationOf, authorizerOf, VersionedRequest } from "./activation.ts";
import { Configured, registration } from "./configured.ts";
import {
  Budget,
  type Evaluated,
  type Expression,
  evaluate,
  expressionOf,
  OutOfBudget,
} from "./expressions.ts";
import { observeCheck } from "./metrics.ts";
import {
  type CompiledBinding,
  type CompiledPolicy,
  compilePolicies,
  paramsOf,
  withVariables,
} from "./policy.ts";
import { matchRequest, namespaceOf, type Request } from "./rules.ts";
import { type DynamicDependencies, once } from "./validating-webhook.ts";
import { isAdmissionConfiguration } from "./versions.ts";

interface CompiledValidation {
  readonly spec: Validation;
  readonly expression: Expression;
  readonly message: Expression | undefined;
}

interface Own {
  readonly validations: readonly CompiledValidation[];
  readonly notes: readonly (readonly [key: string, expression: Expression])[];
}

type Spec = ValidatingAdmissionPolicySpec;
type BindingSpec = ValidatingAdmissionPolicyBindingSpec;
type Policy = CompiledPolicy<Spec, BindingSpec, Own>;
type Binding = CompiledBinding<BindingSpec>;

const MESSAGE_BYTES_MAX = 5 * 1024;
const ANNOTATION_LENGTH_MAX = 10 * 1024;
const CODES: Readonly<Record<string, number>> = {
  Forbidden: 403,
  Unauthorized: 401,
  RequestEntityTooLarge: 413,
  Invalid: 422,
};

function compileOwn(spec: Spec, scope: ExpressionScope): Own {
  const quiet = { ...scope, authorizer: false };
  return {
    validations: (spec.validations ?? []).map((one: Validation) => {
      const { expression = "", messageExpression = "" } = one;
      return {
        spec: one,
        expression: expressionOf(expression, scope),
        message: messageExpression === "" ? undefined : expressionOf(messageExpression, quiet),
      };
    }),
    notes: (spec.auditAnnotations ?? []).map(
      ({ key = "", valueExpression = "" }: AuditAnnotation) => {
        return [key, expressionOf(valueExpression, scope)];
      },
    ),
  };
}

/** Why one validation refuses. */
interface Denial {
  readonly message: string;
  /** "": Invalid. */
  readonly reason: string;
  readonly index: number;
}

/** One refusal that counts: the first of them answers the request. */
interface Refusal {
  readonly policy: string;
  readonly binding: string | undefined;
  readonly message: string;
  readonly reason: string;
}

export function validatingAdmissionPolicy(of: DynamicDependencies): AdmissionPlugin {
  const configured = new Configured(
    of.listers,
    [
      registration("validatingadmissionpolicies"),
      registration("validatingadmissionpolicybindings"),
    ],
    ([policies = [], bindings = []]) =>
      compilePolicies<Spec, BindingSpec, Own>(policies, bindings, compileOwn),
  );
  const run = async (policies: readonly Policy[], request: Request): Promise<void> => {
    const refusals: Refusal[] = [];
    const authorizer = once(() => authorizerOf(of.mayUser, request.user));
    for (const policy of policies) {
      await new PolicyCheck(policy, request, of, authorizer, refusals).run();
    }
    const [first] = refusals;
    if (first !== undefined) throw refused(request, first);
  };
  return {
    name: "ValidatingAdmissionPolicy",
    handles: (request) => !configured.isEmpty && !isAdmissionConfiguration(request),
    validate(request) {
      const policies = configured.current();
      if (policies instanceof Promise) return policies.then((all) => run(all, request));
      return run(policies, request);
    },
  };
}

function refused(request: Request, { policy, binding, message, reason }: Refusal): StatusError {
  const by = binding === undefined ? "" : ` with binding '${binding}'`;
  const text = `ValidatingAdmissionPolicy '${policy}'${by} denied request: ${message}`;
  const base = deny(request, text);
  const told = reason === "" ? "Invalid" : reason;
  return new StatusError(told, base.message, {
    code: CODES[told] ?? 422,
    details: { ...base.details, causes: [{ message: text }] },
  });
}

/** One policy about one request. */
class PolicyCheck {
  readonly #policy: Policy;
  readonly #request: Request;
  readonly #of: DynamicDependencies;
  readonly #authorizer: () => CelValue;
  readonly #refusals: Refusal[];
  readonly #notes = new Map<string, string[]>();
  constructor(
    policy: Policy,
    request: Request,
    of: DynamicDependencies,
    authorizer: () => CelValue,
    refusals: Refusal[],
  ) {
    this.#policy = policy;
    this.#request = request;
    this.#of = of;
    this.#authorizer = authorizer;
    this.#refusals = refusals;
  }

  async run(): Promise<void> {
    const { versions, listers } = this.#of;
    const target = await this.#configuring(undefined, () =>
      matchRequest(this.#policy.criteria, this.#request, versions, listers),
    );
    if (target === undefined) return;
    const versioned = new VersionedRequest(this.#request, target, versions);
    for (const binding of this.#policy.bindings) await this.#bound(binding, versioned);
    for (const [key, values] of this.#notes) {
      this.#request.addAnnotation(`${this.#policy.name}/${key}`, values.join(", "));
    }
  }

  /** Runs `find`; what it throws is a fault of the policy, or of the binding. */
  async #configuring<T>(
    binding: Binding | undefined,
    find: () => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await find();
    } catch (thrown) {
      if (this.#policy.failsOpen) return undefined;
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      const what = binding === undefined ? "policy" : "binding";
      this.#refuse(binding, {
        message: `failed to configure ${what}: ${why}`,
        reason: "",
        index: 0,
      });
      return undefined;
    }
  }

  #refuse(binding: Binding | undefined, { message, reason }: Denial): void {
    this.#refusals.push({ policy: this.#policy.name, binding: binding?.name, message, reason });
  }

  async #bound(binding: Binding, versioned: VersionedRequest): Promise<void> {
    const { versions, listers } = this.#of;
    const params = await this.#configuring(binding, async () => {
      const matched = await matchRequest(binding.criteria, this.#request, versions, listers);
      if (matched === undefined) return [];
      return paramsOf(this.#policy.spec, binding.spec, this.#request, versions, listers);
    });
    if (params === undefined || params.length === 0) return;
    const { namespace, kind } = this.#request;
    const isNamespace = kind.group === "" && kind.kind === "Namespace";
    const namespaceObject =
      namespace === "" || isNamespace ? null : await namespaceOf(namespace, listers);
    for (const one of params) await this.#checked(binding, versioned, one, namespaceObject);
  }

  async #checked(
    binding: Binding,
    versioned: VersionedRequest,
    params: KubeObject | null,
    namespaceObject: KubeObject | null,
  ): Promise<void> {
    const { conditions, variables: own } = this.#policy;
    const variables = activationOf(versioned, {
      params,
      namespaceObject,
      authorizer: this.#authorizer(),
    });
    const matched = await conditions.match(variables);
    if (matched === false) return;
    if (matched !== true) return this.#failed(binding, matched.failed);
    const budget = new Budget(RUNTIME_BUDGET);
    const all = withVariables(variables, own, budget);
    try {
      for (const [index, validation] of this.#policy.own.validations.entries()) {
        const denial = await this.#validation(binding, validation, index, all, budget);
        if (denial !== undefined) this.#enforce(binding, denial);
      }
      await this.#annotate(binding, withVariables(variables, own, budget));
    } catch (thrown) {
      if (!(thrown instanceof OutOfBudget)) throw thrown;
      this.#failed(binding, thrown.message);
    }
  }

  /** An error while evaluating: it refuses, unless the policy fails open. */
  #failed(binding: Binding, message: string, index = 0): void {
    if (this.#policy.failsOpen) {
      observeCheck(this.#policy.name, binding.name, "allow", "invalid_error");
      return;
    }
    this.#enforce(binding, { message, reason: "", index });
  }

  async #validation(
    binding: Binding,
    { spec, expression, message }: CompiledValidation,
    index: number,
    variables: Activation,
    budget: Budget,
  ): Promise<Denial | undefined> {
    const result = await evaluate(expression, variables, budget);
    if ("failed" in result) {
      this.#failed(binding, result.failed, index);
      return undefined;
    }
    if (result.value === true) return undefined;
    const told = message === undefined ? undefined : await evaluate(message, variables, budget);
    return { message: messageOf(spec, told), reason: spec.reason ?? "Invalid", index };
  }

  #enforce(binding: Binding, denial: Denial): void {
    const { name } = this.#policy;
    const actions: readonly string[] = binding.spec.validationActions ?? [];
    for (const action of actions) {
      switch (action) {
        case "Deny":
          this.#refuse(binding, denial);
          observeCheck(name, binding.name, "deny", "no_error");
          break;
        case "Warn":
          this.#request.addWarning(
            `Validation failed for ValidatingAdmissionPolicy '${name}' with binding '${binding.name}': ${denial.message}`,
          );
          observeCheck(name, binding.name, "warn", "no_error");
          break;
        case "Audit":
          this.#audit(binding, denial, actions);
          observeCheck(name, binding.name, "audit", "no_error");
          break;
        default:
      }
    }
  }

  #audit(binding: Binding, { message, index }: Denial, validationActions: readonly string[]): void {
    const failure = {
      message,
      policy: this.#policy.name,
      binding: binding.name,
      expressionIndex: index,
      validationActions,
    };
    this.#request.addAnnotation(
      "validation.policy.admission.k8s.io/validation_failure",
      JSON.stringify([failure]),
    );
  }

  async #annotate(binding: Binding, variables: Activation): Promise<void> {
    const budget = new Budget(RUNTIME_BUDGET);
    for (const [key, expression] of this.#policy.own.notes) {
      const result = await evaluate(expression, variables, budget);
      const value = "failed" in result ? undefined : result.value;
      if ("failed" in result) {
        const denial = { message: result.failed, reason: "", index: 0 };
        if (!this.#policy.failsOpen) this.#refuse(binding, denial);
      } else if (typeof value === "string") this.#note(key, value.trim());
      else if (value !== null) {
        const type = value === undefined ? "" : typeNameOf(value);
        const message = `valueExpression '${expression.text}' resulted in unsupported return type: ${type}. Return type must be either string or null.`;
        this.#refuse(binding, { message, reason: "", index: 0 });
      }
    }
  }

  #note(key: string, text: string): void {
    const value = text.slice(0, ANNOTATION_LENGTH_MAX);
    const known = this.#notes.get(key) ?? [];
    if (value !== "" && !known.includes(value)) this.#notes.set(key, [...known, value]);
  }
}

/** The message of a validation that does not hold. */
function messageOf({ message = "", expression = "" }: Validation, told: Evaluated | undefined) {
  const made = told !== undefined && "value" in told ? told.value : undefined;
  if (typeof made === "string") {
    const text = made.trim();
    const usable = text !== "" && Buffer.byteLength(text) <= MESSAGE_BYTES_MAX;
    if (usable && !text.includes("\n")) return text;
  }
  return message.trim() || `failed expression: ${expression.trim()}`;
}
