/**
 * ValidatingWebhookConfiguration and MutatingWebhookConfiguration.
 * Upstream: pkg/apis/admissionregistration/validation/validation.go.
 */
import { validateFullyQualifiedName } from "../../../apimachinery/validation/domains.ts";
import { semanticDeepEqual } from "../../../apimachinery/validation/equality.ts";
import {
  duplicate,
  type ErrorList,
  invalid,
  notSupported,
  Path,
  required,
} from "../../../apimachinery/validation/field.ts";
import {
  type LabelSelectorOptions,
  validateLabelSelector,
} from "../../../apimachinery/validation/labels.ts";
import { isDNS1035Label } from "../../../apimachinery/validation/names.ts";
import { validateWebhookClient } from "../../validation/webhook-client.ts";
import type { MutatingWebhook } from "./types.ts";
import {
  FAILURE_POLICIES,
  MATCH_POLICIES,
  validateEnum,
  validateMatchConditions,
  validateRuleWithOperations,
} from "./validation-rules.ts";

/** Both kinds' webhooks; only mutating ones have a reinvocationPolicy. */
type Webhook = MutatingWebhook;

const REVIEW_VERSIONS = ["v1", "v1beta1"];
const NO_SIDE_EFFECTS = ["None", "NoneOnDryRun"];
const SIDE_EFFECTS = ["None", "NoneOnDryRun", "Some", "Unknown"];

interface Options {
  readonly ignoreMatchConditions: boolean;
  readonly requireNoSideEffects: boolean;
  readonly requireRecognizedVersion: boolean;
  readonly requireUniqueNames: boolean;
  readonly selector: LabelSelectorOptions;
}

/** Errors of a configuration's webhooks; rules the stored ones break already are not enforced. */
export function validateWebhooks(
  { webhooks = [] }: { readonly webhooks?: readonly Webhook[] | undefined },
  stored?: { readonly webhooks?: readonly Webhook[] | undefined },
): ErrorList {
  const options = optionsOf(webhooks, stored?.webhooks ?? (stored === undefined ? undefined : []));
  const errors: ErrorList = [];
  const names = new Set<string>();
  for (const [i, webhook] of webhooks.entries()) {
    const at = Path.root("webhooks").index(i);
    errors.push(...validateWebhook(webhook, options, at));
    errors.push(
      ...validateReviewVersions(
        webhook.admissionReviewVersions ?? [],
        options.requireRecognizedVersion,
        at.child("admissionReviewVersions"),
      ),
    );
    const name = webhook.name ?? "";
    if (!options.requireUniqueNames || name === "") continue;
    if (names.has(name)) errors.push(duplicate(at.child("name"), name));
    names.add(name);
  }
  return errors;
}

function optionsOf(webhooks: readonly Webhook[], old: readonly Webhook[] | undefined): Options {
  if (old === undefined) {
    return {
      ignoreMatchConditions: false,
      requireNoSideEffects: true,
      requireRecognizedVersion: true,
      requireUniqueNames: true,
      selector: {},
    };
  }
  const at = Path.root("webhooks");
  const names = old.map(({ name }) => name);
  return {
    ignoreMatchConditions:
      webhooks.length === old.length &&
      webhooks.every((webhook, i) =>
        semanticDeepEqual(webhook.matchConditions, old[i]?.matchConditions),
      ),
    requireNoSideEffects: old.every(({ sideEffects = "" }) =>
      NO_SIDE_EFFECTS.includes(sideEffects),
    ),
    requireRecognizedVersion: old.every(
      ({ admissionReviewVersions: versions = [] }) =>
        versions.length === 0 || versions.some((version) => REVIEW_VERSIONS.includes(version)),
    ),
    requireUniqueNames: new Set(names).size === names.length,
    selector: {
      allowInvalidLabelValueInSelector: old.some(
        ({ namespaceSelector, objectSelector }) =>
          validateLabelSelector(namespaceSelector, {}, at).length > 0 ||
          validateLabelSelector(objectSelector, {}, at).length > 0,
      ),
    },
  };
}

function validateWebhook(webhook: Webhook, options: Options, at: Path): ErrorList {
  const errors = validateFullyQualifiedName(at.child("name"), webhook.name ?? "");
  for (const [i, rule] of (webhook.rules ?? []).entries()) {
    errors.push(...validateRuleWithOperations(rule, at.child("rules").index(i)));
  }
  errors.push(
    ...validateEnum(webhook.failurePolicy, FAILURE_POLICIES, at.child("failurePolicy")),
    ...validateEnum(webhook.matchPolicy, MATCH_POLICIES, at.child("matchPolicy")),
  );
  const allowed = options.requireNoSideEffects ? NO_SIDE_EFFECTS : SIDE_EFFECTS;
  const effects = at.child("sideEffects");
  if (webhook.sideEffects === undefined) {
    errors.push(required(effects, `must specify one of ${allowed.join(", ")}`));
  } else if (!allowed.includes(webhook.sideEffects)) {
    errors.push(notSupported(effects, webhook.sideEffects, allowed));
  }
  const seconds = webhook.timeoutSeconds;
  if (seconds !== undefined && (seconds > 30 || seconds < 1)) {
    const detail = "the timeout value must be between 1 and 30 seconds";
    errors.push(invalid(at.child("timeoutSeconds"), seconds, detail));
  }
  for (const name of ["namespaceSelector", "objectSelector"] as const) {
    errors.push(...validateLabelSelector(webhook[name], options.selector, at.child(name)));
  }
  const reinvocation = ["IfNeeded", "Never"];
  errors.push(
    ...validateEnum(webhook.reinvocationPolicy, reinvocation, at.child("reinvocationPolicy")),
    ...validateWebhookClient(webhook.clientConfig ?? {}, at.child("clientConfig")),
  );
  if (options.ignoreMatchConditions) return errors;
  const conditions = at.child("matchConditions");
  return [...errors, ...validateMatchConditions(webhook.matchConditions, false, conditions)];
}

function validateReviewVersions(
  versions: readonly string[],
  requireRecognized: boolean,
  at: Path,
): ErrorList {
  if (versions.length === 0) {
    return [required(at, `must specify one of ${REVIEW_VERSIONS.join(", ")}`)];
  }
  const errors: ErrorList = [];
  const seen = new Set<string>();
  for (const [i, version] of versions.entries()) {
    if (seen.has(version)) {
      errors.push(invalid(at.index(i), version, "duplicate version"));
      continue;
    }
    seen.add(version);
    for (const message of isDNS1035Label(version)) {
      errors.push(invalid(at.index(i), version, message));
    }
  }
  if (requireRecognized && !versions.some((version) => REVIEW_VERSIONS.includes(version))) {
    const detail = `must include at least one of ${REVIEW_VERSIONS.join(", ")}`;
    errors.push(invalid(at, versions, detail));
  }
  return errors;
}
