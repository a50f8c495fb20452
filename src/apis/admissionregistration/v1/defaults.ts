/** Upstream: pkg/apis/admissionregistration/v1/defaults.go. */
import type {
  MatchResources,
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  MutatingWebhook,
  MutatingWebhookConfiguration,
  RuleWithOperations,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhook,
  ValidatingWebhookConfiguration,
} from "./types.ts";

function setWebhookDefaults(webhook: ValidatingWebhook): void {
  webhook.failurePolicy ??= "Fail";
  webhook.matchPolicy ??= "Equivalent";
  webhook.namespaceSelector ??= {};
  webhook.objectSelector ??= {};
  webhook.timeoutSeconds ??= 10;
  setRuleDefaults(webhook.rules);
  const service = webhook.clientConfig?.service;
  if (service !== undefined) service.port ??= 443;
}

function setRuleDefaults(rules: readonly RuleWithOperations[] | undefined): void {
  for (const rule of rules ?? []) rule.scope ??= "*";
}

/** Upstream: SetDefaults_ValidatingWebhook. */
export function setValidatingWebhookConfigurationDefaults(
  object: Pick<ValidatingWebhookConfiguration, "webhooks">,
): void {
  for (const webhook of object.webhooks ?? []) setWebhookDefaults(webhook);
}

/** Upstream: SetDefaults_MutatingWebhook. */
export function setMutatingWebhookConfigurationDefaults(
  object: Pick<MutatingWebhookConfiguration, "webhooks">,
): void {
  for (const webhook of object.webhooks ?? []) {
    setWebhookDefaults(webhook satisfies MutatingWebhook);
    webhook.reinvocationPolicy ??= "Never";
  }
}

function setMatchResourcesDefaults(match: MatchResources | undefined): void {
  if (match === undefined) return;
  match.matchPolicy ??= "Equivalent";
  match.namespaceSelector ??= {};
  match.objectSelector ??= {};
  setRuleDefaults(match.resourceRules);
  setRuleDefaults(match.excludeResourceRules);
}

/** Upstream: SetDefaults_ValidatingAdmissionPolicySpec. */
export function setValidatingAdmissionPolicyDefaults(
  policy: Pick<ValidatingAdmissionPolicy, "spec">,
): void {
  policy.spec ??= {};
  policy.spec.failurePolicy ??= "Fail";
  setMatchResourcesDefaults(policy.spec.matchConstraints);
}

/** Upstream: SetDefaults_MutatingAdmissionPolicySpec. */
export function setMutatingAdmissionPolicyDefaults(
  policy: Pick<MutatingAdmissionPolicy, "spec">,
): void {
  policy.spec ??= {};
  policy.spec.failurePolicy ??= "Fail";
  setMatchResourcesDefaults(policy.spec.matchConstraints);
}

/** Upstream: SetDefaults_MatchResources. */
export function setBindingDefaults(
  binding: Pick<ValidatingAdmissionPolicyBinding | MutatingAdmissionPolicyBinding, "spec">,
): void {
  setMatchResourcesDefaults(binding.spec?.matchResources);
}

/** v1alpha1 also denies when parameters are not found. Upstream: v1alpha1/defaults.go. */
export function setAlphaBindingDefaults(
  binding: Pick<MutatingAdmissionPolicyBinding, "spec">,
): void {
  setBindingDefaults(binding);
  const ref = binding.spec?.paramRef;
  if (ref !== undefined) ref.parameterNotFoundAction ??= "Deny";
}
